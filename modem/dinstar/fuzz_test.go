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
		`{"performance":{"cpu_used":"39","flash_total":"27648","memory_used":-1}}`,
		`{"error_code":200,"cdr":[{"port":0,"start_date":"2026-11-22 14:45:01","duration":"99999999999","gsm_code":"16"}]}`,
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
		for _, c := range a.Calls {
			if got := (&site{o: &Options{Zone: time.UTC}, clock: clock{zone: time.UTC}}).callOf(c); got.Duration < 0 {
				t.Fatalf("%+v lasts %v", c, got.Duration)
			}
		}
		if p := a.Performance; p != nil && (kib(p.FlashUsed) > 1<<50 || kib(p.MemoryTotal) > 1<<50) {
			t.Fatalf("the performance is %+v", p)
		}
		for _, i := range a.Info {
			if state, _, why := standing(i.Reg.word()); (state == gateway.ChannelReady) != (why == "") {
				t.Fatalf("%q is %v for %q", i.Reg, state, why)
			}
		}
	})
}

// FuzzReply holds that an answer is accepted only with a code that means yes, and that
// everything else has a kind of the contract.
func FuzzReply(f *testing.F) {
	for status, body := range map[int]string{
		200: `{"error_code":202}`, 404: "api is disable", 500: "<html>", 302: "", 413: `{"error_code":413}`, 550: `{"error_code":550}`,
		401: `{"error_code":200}`,
	} {
		f.Add(status, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a, err := (httpReply{status: status, body: body}).answer()
		if err == nil {
			if a.Code.n != codeOK && a.Code.n != codeAccepted {
				t.Fatalf("%d with %q is accepted", status, body)
			}
			return
		}
		switch gateway.KindOf(err) {
		case gateway.KindInvalid, gateway.KindNotFound, gateway.KindUnavailable, gateway.KindUnknownOutcome:
		default:
			t.Fatalf("%d with %q has the kind %v", status, body, gateway.KindOf(err))
		}
	})
}

// FuzzStamp holds that a time that was read is written and read as the same one.
func FuzzStamp(f *testing.F) {
	for _, s := range []string{"2026-11-22 14:45:01", "2026/11/22 14:45:01", "1970-01-01T00:00:00", "2026-11-22 14:45", "<NULL>", "9999-99-99 99:99:99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := stamp(text(s), time.UTC)
		if !ok {
			return
		}
		c := clock{zone: time.UTC, ahead: -5 * time.Hour, known: true}
		if back, ok := c.ours(text(c.theirs(at))); !ok || !back.Equal(at.Truncate(time.Second)) {
			t.Fatalf("%q is %v, and then %v", s, at, back)
		}
	})
}
