package sim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/icholy/digest"

	"fieldpost/modem/sim"
)

const dinstarPassword = "s3cret"

// dinstarRig is a gateway, its network, and a client with the digest login of the product.
type dinstarRig struct {
	t      *testing.T
	net    *sim.Network
	box    *sim.Dinstar
	client *http.Client
}

func openDinstar(t *testing.T, o sim.DinstarOptions, n sim.NetworkOptions) *dinstarRig {
	t.Helper()
	r := &dinstarRig{t: t, net: sim.NewNetwork(n)}
	o.Network, o.Password = r.net, dinstarPassword
	var err error
	if r.box, err = sim.OpenDinstar(o); err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	r.client = &http.Client{
		Transport: &digest.Transport{Username: "admin", Password: dinstarPassword, Transport: base}, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if o.Auth == sim.DinstarBasic {
		r.client.Transport = base
	}
	t.Cleanup(func() {
		base.CloseIdleConnections()
		if err := r.box.Close(); err != nil {
			t.Error(err)
		}
		if err := r.net.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

type object = map[string]any

// call makes a request and reads its body.
func (r *dinstarRig) call(req *http.Request) (*http.Response, []byte, error) {
	res, err := r.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res, data, err
}

func (r *dinstarRig) request(method, path string, body any) *http.Request {
	r.t.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			r.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.box.URL()+"/api/"+path, bytes.NewReader(data))
	if err != nil {
		r.t.Fatal(err)
	}
	if _, plain := r.client.Transport.(*http.Transport); plain {
		req.SetBasicAuth("admin", dinstarPassword)
	}
	return req
}

// answer makes a request that must end in JSON.
func (r *dinstarRig) answer(req *http.Request) object {
	r.t.Helper()
	res, data, err := r.call(req)
	if err != nil {
		r.t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		r.t.Fatalf("%s answers %s %q: %v", req.URL.Path, res.Status, data, err)
	}
	return o
}

func (r *dinstarRig) post(path string, body any) object {
	r.t.Helper()
	return r.answer(r.request(http.MethodPost, path, body))
}

// get asks with an encoded query.
func (r *dinstarRig) get(path string, pairs ...string) object {
	r.t.Helper()
	return r.answer(r.request(http.MethodGet, path+query(pairs...), nil))
}

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// send sends one text to one number and wants it accepted.
func (r *dinstarRig) send(userID int, number, text string, ports ...int) {
	r.t.Helper()
	r.wantCode(r.post("send_sms", oneSMS(userID, number, text, ports...)), 202)
}

func oneSMS(userID int, number, text string, ports ...int) object {
	o := object{"text": text, "encoding": "gsm-7bit", "param": []object{{"number": number, "user_id": userID}}}
	if ports != nil {
		o["port"] = ports
	}
	return o
}

func (r *dinstarRig) wantCode(o object, code int) {
	r.t.Helper()
	if o["error_code"] != float64(code) {
		r.t.Fatalf("the answer is %v, want error_code %d", o, code)
	}
}

func rows(o object, key string) []object {
	list, _ := o[key].([]any)
	all := make([]object, 0, len(list))
	for _, v := range list {
		all = append(all, v.(object))
	}
	return all
}

// result asks for a message until its status is the wanted one.
func (r *dinstarRig) result(userID int, status string) object {
	r.t.Helper()
	var all []object
	for end := time.Now().Add(safety); time.Now().Before(end); {
		all = r.results(userID)
		if len(all) == 1 && all[0]["status"] == status {
			return all[0]
		}
	}
	r.t.Fatalf("the result is %v, want %s", all, status)
	return nil
}

func (r *dinstarRig) results(userIDs ...int) []object {
	r.t.Helper()
	return rows(r.post("query_sms_result", object{"user_id": userIDs}), "result")
}

// onAir waits until the ledger has n segments.
func (r *dinstarRig) onAir(n int) []sim.Entry {
	r.t.Helper()
	for {
		changed := r.net.Changed()
		if r.net.Len() >= n {
			return r.net.Entries()
		}
		select {
		case <-changed:
		case <-time.After(safety):
			r.t.Fatalf("%d segments are on the air, want %d", r.net.Len(), n)
		}
	}
}
