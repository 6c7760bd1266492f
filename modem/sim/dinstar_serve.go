package sim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// dinstarBody bounds the body of a request, in bytes: 128 recipients with long
// parameters take less.
const dinstarBody = 1 << 20

// dinstarPath is one endpoint.
type dinstarPath struct {
	method string
	answer func(d *Dinstar, r *dinstarRequest) any // an answer in JSON, or a dinstarText
}

// dinstarRequest is a request that logged in.
type dinstarRequest struct {
	*http.Request
	body []byte
}

// dinstarText is an answer that is not JSON.
type dinstarText struct {
	status int
	text   string
}

// head is how nearly every answer begins.
type head struct {
	Code   int    `json:"error_code"`
	Serial string `json:"sn,omitempty"`
}

func (d *Dinstar) head(code int) head {
	if d.o.Firmware.OldKeys {
		return head{Code: code}
	}
	return head{code, d.o.Serial}
}

// imsi gives a card's IMSI for an answer, which old firmware leaves out.
func (d *Dinstar) imsi(c *Card) string {
	if d.o.Firmware.OldKeys || c == nil {
		return ""
	}
	return c.o.IMSI
}

// The error codes of the API.
const (
	dinstarOK       = 200
	dinstarAccepted = 202
	dinstarBad      = 400
	dinstarNotFound = 404
	dinstarTooMuch  = 413
	dinstarBroken   = 500
	dinstarNoPort   = 550
)

func (d *Dinstar) endpoints() map[string]dinstarPath {
	return map[string]dinstarPath{
		"send_sms":                 {http.MethodPost, (*Dinstar).sendSMS},
		"query_sms_result":         {http.MethodPost, (*Dinstar).queryResult},
		"query_sms_deliver_status": {http.MethodPost, (*Dinstar).queryDelivered},
		"query_sms_in_queue":       {http.MethodGet, (*Dinstar).queryInQueue},
		"stop_sms":                 {http.MethodGet, (*Dinstar).stopSMS},
		"query_incoming_sms":       {http.MethodGet, (*Dinstar).queryIncoming},
		"send_ussd":                {http.MethodPost, (*Dinstar).sendUSSD},
		"query_ussd_reply":         {http.MethodGet, (*Dinstar).queryUSSD},
		"get_port_info":            {http.MethodGet, (*Dinstar).portInfo},
		"set_port_info":            {http.MethodGet, (*Dinstar).setPortInfo},
		"get_cdr":                  {http.MethodPost, (*Dinstar).getCDR},
		"get_status":               {http.MethodPost, (*Dinstar).getStatus},
	}
}

// serve answers one request.
func (d *Dinstar) serve(w http.ResponseWriter, r *http.Request) {
	if !d.enter() {
		panic(http.ErrAbortHandler)
	}
	defer d.wg.Done()
	name, api := strings.CutPrefix(r.URL.Path, "/api/")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, dinstarBody))
	switch {
	case err != nil:
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			write(w, http.StatusRequestEntityTooLarge, "text/plain", []byte("request is too large"))
		}
	case !api:
		http.Redirect(w, r, "/enLogin.htm", http.StatusFound)
	case d.isDisabled():
		write(w, http.StatusNotFound, "text/plain", []byte("api is disable"))
	case d.admit(w, r, len(body)):
		d.answer(w, name, &dinstarRequest{r, body})
	}
}

// enter counts a request in; false when the gateway cannot be talked to.
func (d *Dinstar) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.booting {
		return false
	}
	d.wg.Add(1)
	return true
}

func (d *Dinstar) isDisabled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.disabled
}

// admit lets a request in that logged in and fell into no trap.
func (d *Dinstar) admit(w http.ResponseWriter, r *http.Request, body int) bool {
	free := &d.o.Firmware.Lenient
	addr := host(r)
	if d.login.locked(addr) { // T3
		write(w, http.StatusForbidden, "text/plain", []byte("Access Denied, forbid to try again"))
		return false
	}
	p := d.login.check(r)
	switch {
	case p == missing && r.Method == http.MethodPost && body == 0 && !free.EmptyPost: // T2
		panic(http.ErrAbortHandler)
	case !free.RawComma && strings.Contains(r.URL.RawQuery, ","): // T1
		p = wrong
	}
	if p == passed {
		return true
	}
	if p == wrong {
		d.login.fail(addr)
	}
	d.challenge(w, p)
	return false
}

func (d *Dinstar) challenge(w http.ResponseWriter, p pass) {
	w.Header().Set("WWW-Authenticate", d.login.challenge(p))
	text := "Access to this document requires a User ID"
	if p == wrong {
		text = "Wrong Password"
	}
	write(w, http.StatusUnauthorized, "text/html", []byte("<html><body>"+text+"</body></html>"))
}

// answer does what an endpoint does, as far as a fault lets it.
func (d *Dinstar) answer(w http.ResponseWriter, name string, r *dinstarRequest) {
	path, known := d.paths[name]
	switch {
	case !known:
		write(w, http.StatusNotFound, "text/plain", []byte("not found"))
		return
	case r.Method != path.method && !d.o.Firmware.Lenient.Method: // T4
		write(w, http.StatusForbidden, "text/plain", []byte("forbidden"))
		return
	}
	f := d.pick(name)
	f.begin()
	if d.refuses(w, f) {
		return
	}
	status, kind, data := d.encode(path.answer(d, r))
	w.Header().Set("Set-Cookie", "devckie="+d.o.Serial)
	d.reply(w, f, status, kind, data)
}

// encode writes an answer.
func (d *Dinstar) encode(answer any) (status int, kind string, data []byte) {
	if text, ok := answer.(dinstarText); ok {
		return text.status, "text/plain", []byte(text.text)
	}
	data, err := json.Marshal(answer)
	if err != nil { // an answer that cannot be written is a defect of the simulator
		panic(err)
	}
	status = http.StatusOK
	if h, ok := answer.(head); ok && d.o.Firmware.StatusCode && h.Code >= 400 {
		status = h.Code
	}
	return status, "application/json", data
}

func write(w http.ResponseWriter, status int, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(data) // a caller that is gone needs no answer
}

// decode reads a JSON body; false = it is not what the endpoint takes.
func (r *dinstarRequest) decode(v any) bool { return json.Unmarshal(r.body, v) == nil }
