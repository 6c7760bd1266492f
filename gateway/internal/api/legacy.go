package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/intake"
)

// legacyRoot is the path of the old web services.
const legacyRoot = "/Integra/resources"

// reasonHeader says why an old call answers ERROR, whose text is all that its
// clients know.
const reasonHeader = "X-Reason"

// legacyRoutes serve the old web services on their literal paths (P72-P77).
func (a *API) legacyRoutes() {
	sms := legacyRoot + "/SMS/"
	form := map[string]string{"destination": "098344484", "message": "This is my SMS", "campaign": "alerts", "agent": "anna", "source": "3"}
	need := []string{"destination", "message", "campaign"}
	a.legacy("send-sms", sms+"SendSMS", "Submit a message: OK means stored on disk", ClassSend, a.sendSMS,
		formDoc(form, need, "text/plain", "OK"))
	a.legacy("send-sms-v2", sms+"SendSMSv2", "Submit a message and get its id", ClassSend, a.sendSMSv2,
		formDoc(form, need, "application/json", map[string]string{"id": "42"}))
	a.legacy("schedule-dialer-sms", sms+"ScheduleDialerSMS", "Submit a message for later: 1 means stored on disk", ClassSend, a.scheduleSMS,
		formDoc(map[string]string{"sms": `{"calldate":"2030-01-02 08:00:00","campaign":"alerts","destination":"098344484","data":"This is my SMS"}`},
			[]string{"sms"}, "text/plain", "1"))
	a.legacy("upload-base", sms+"uploadbase", "Submit a base of messages, in base64: OK means stored on disk", ClassBase, a.uploadBase64,
		formDoc(map[string]string{"filename": "base.csv", "fileb64": "YWxlcnRzOzA5ODM0NDQ4NDtIaTs5OTk5Cg==", "campaign": "alerts"},
			[]string{"fileb64", "campaign"}, "text/plain", "OK"))
}

func (a *API) legacy(id, path, summary string, c Class, serve func(http.ResponseWriter, *http.Request, access.Caller) error, d described) {
	rt := &route{
		method: http.MethodPost, path: path, id: id, tag: "old web services", summary: summary,
		class: c, scope: access.Send, takes: true,
	}
	a.mux.HandleFunc(rt.method+" "+path, a.plain(rt, serve))
	a.describe(rt, d)
}

// sendSMS is POST .../SendSMS: the busiest path of the box.
func (a *API) sendSMS(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	_, err := a.submitForm(w, r, c)
	return a.oldAnswer(w, r, err, "OK", "ERROR")
}

func (a *API) sendSMSv2(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	idm, err := a.submitForm(w, r, c)
	if err != nil {
		return a.oldAnswer(w, r, err, "", "ERROR")
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"id": idOf(idm)})
}

func (a *API) submitForm(w http.ResponseWriter, r *http.Request, c access.Caller) (uint64, error) {
	f, err := readForm(w, r)
	if err != nil {
		return 0, err
	}
	added, err := a.Intake.Submit(r.Context(), intake.Request{
		To: f["destination"], Text: f["message"], Campaign: f["campaign"], Agent: f["agent"], Source: f["source"],
		Scope: c.ID, Key: r.Header.Get("Idempotency-Key"),
	})
	return added.IDM, renamed(renamed(err, "to", "destination"), "text", "message")
}

// scheduled is the JSON of ScheduleDialerSMS. The old clients put the text into
// data; where there is a message too, data is extra data.
type scheduled struct {
	CallDate    string `json:"calldate"`
	Campaign    string `json:"campaign"`
	Destination word   `json:"destination"`
	Data        string `json:"data"`
	Message     string `json:"message"`
	Agent       string `json:"agent"`
}

// word is a JSON string, or a number as it is written: some clients do not quote
// the destination.
type word string

// UnmarshalJSON reads either.
func (v *word) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(v))
	}
	var n json.Number
	err := json.Unmarshal(b, &n)
	*v = word(n)
	return err
}

func (a *API) scheduleSMS(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	err := a.schedule(w, r, c)
	return a.oldAnswer(w, r, err, "1", "0")
}

func (a *API) schedule(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	var s scheduled
	sms := []byte(f["sms"])
	if checkJSON(sms) != nil || json.Unmarshal(sms, &s) != nil {
		return gateway.Invalid("sms", "must be JSON with calldate, campaign, destination and data, each once")
	}
	at, err := a.callDate(s.CallDate)
	if err != nil {
		return err
	}
	m := intake.Request{
		To: string(s.Destination), Text: s.Message, Campaign: s.Campaign, Agent: s.Agent, Data: s.Data, NotBefore: at,
		Scope: c.ID, Key: r.Header.Get("Idempotency-Key"),
	}
	if m.Text == "" {
		m.Text, m.Data = s.Data, ""
	}
	_, err = a.Intake.Submit(r.Context(), m)
	return renamed(renamed(err, "to", "destination"), "text", "data")
}

// callDate reads when a message may leave: "YYYY-MM-DD HH:MM:SS" on the site's
// clock, or RFC 3339. Nothing means now.
func (a *API) callDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(time.DateTime, s, a.zone); err == nil {
		return at.UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, gateway.Invalid("calldate", "must be written YYYY-MM-DD HH:MM:SS")
	}
	return at.UTC(), nil
}

// oldAnswer answers as the old server did: a word, with HTTP 200 for either. Why
// a call failed stands in a header, for who looks.
func (a *API) oldAnswer(w http.ResponseWriter, r *http.Request, err error, good, bad string) error {
	if err == nil {
		return text(w, http.StatusOK, good)
	}
	var p *problem
	if !errors.As(err, &p) {
		a.note(r.Context(), r.Pattern, err)
		p = problemFor(err)
	}
	w.Header().Set(reasonHeader, headerText(p))
	return text(w, http.StatusOK, bad)
}

// headerText is a problem on one line of visible ASCII (RFC 9110 §5.5).
func headerText(p *problem) string {
	s := p.Code
	if p.Field != "" {
		s += "; " + p.Field
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s+": "+p.Detail)
}
