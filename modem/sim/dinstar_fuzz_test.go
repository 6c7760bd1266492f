package sim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fieldpost/modem/sim"
)

// Whatever is asked, the gateway answers with JSON or a status that says why not.
func FuzzDinstarAPI(f *testing.F) {
	n := sim.NewNetwork(sim.NetworkOptions{})
	box, err := sim.OpenDinstar(sim.DinstarOptions{
		Network: n, Password: "x", Ports: 2, Auth: sim.DinstarBasic, Firmware: sim.DinstarFirmware{Results: 16, Inbox: 16},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = box.Close()
		_ = n.Close()
	})
	f.Add("POST", "send_sms", "", `{"text":"#param#","param":[{"number":"099","text_param":["a"]}]}`)
	f.Add("POST", "query_sms_result", "", `{"user_id":[1],"time_after":"2026-11-22 00:00:00"}`)
	f.Add("POST", "send_ussd", "", `{"text":"*1#","port":[0,1,-1]}`)
	f.Add("POST", "get_status", "", `["performance"]`)
	f.Add("POST", "get_cdr", "", `{"port":[0]}`)
	f.Add("GET", "get_port_info", "port=%5B0%2C1%5D&info_type=reg%2Cimsi", "")
	f.Add("GET", "set_port_info", "port=0&action=reset&param=1", "")
	f.Add("GET", "query_incoming_sms", "flag=all&incoming_sms_id=-1", "")
	f.Add("GET", "stop_sms", "task_id=99999999999999999999", "")
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: "/api/" + path, RawQuery: query}
		r.SetBasicAuth("admin", "x")
		w := httptest.NewRecorder()
		box.Unlock()
		box.Handler().ServeHTTP(w, r)
		if w.Code == http.StatusOK && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s?%s %q gives %q", method, path, query, body, w.Body)
		}
	})
}
