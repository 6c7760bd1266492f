package dinstar

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

// FuzzParse holds that nothing a gateway writes is a panic, and that what is no
// object with a code says nothing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"error_code":202,"sn":"da00","sms_in_queue":2,"task_id":1284}`,
		`{"error_code":"200","result":[{"port":"0","user_id":10001,"status":"SENT_OK","count":1,"succ_count":1,"ref_id":42}]}`,
		`{"error_code":200,"result":{"port":0,"status":null},"sms":"","info":[[],{}],"reply":[1]}`,
		`{"error_code":1e99}`, `[]`, `{"error_code":200,"sms":[{"incoming_sms_id":5`, "<html>", "null",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parse(body)
		if (err == nil) != a.Code.ok {
			t.Fatalf("code %+v with error %v", a.Code, err)
		}
		for _, x := range a.Results {
			_, done, err := verdictOf(x)
			if err != nil && !done {
				t.Fatalf("%+v is open with %v", x, err)
			}
			if r := receiptOf(x); r.HasMR && int64(r.MR) != x.Ref.n {
				t.Fatalf("TP-MR %d of %d", r.MR, x.Ref.n)
			}
		}
		for _, m := range a.SMS {
			stamp(m.Time, time.UTC)
			if id := identity("rack", m); id == "" || len(short(id)) != 16 {
				t.Fatalf("%+v has the identity %q", m, id)
			}
		}
		for _, i := range a.Info {
			if state, _, why := standing(i.Reg.word()); (state == gateway.ChannelReady) != (why == "") {
				t.Fatalf("%q is %v for %q", i.Reg, state, why)
			}
		}
	})
}
