package dinstar

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// never are the waits of a driver that looks at nothing by itself, after its first look.
func never() Every {
	e := often()
	e.Inbox, e.Reports, e.Pushed = time.Hour, time.Hour, time.Hour
	return e
}

// pushedRig is a rig whose gateway pushes; without pushes its driver would find nothing.
func pushedRig(t *testing.T, so sim.DinstarOptions, change func(o *Options)) *rig {
	t.Helper()
	var driver atomic.Pointer[Driver]
	so.Push = listener(t, &driver)
	r := newRig(t, so, func(o *Options) {
		o.Every = never()
		if change != nil {
			change(o)
		}
	})
	driver.Store(r.driver)
	return r
}

// listener hands what is posted to it to a driver; its address is what it gives.
func listener(t testing.TB, to *atomic.Pointer[Driver]) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if d := to.Load(); err == nil && d != nil {
			_, err = d.Hear(body)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (r *rig) texts() []string {
	var all []string
	for _, p := range r.parts {
		all = append(all, p.Text)
	}
	return all
}

func TestWhatIsPushedIsFetchedAtOnceAndOnce(t *testing.T) {
	r := pushedRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.deliver(0, 1)
	r.until("the first message", func() bool { return len(r.parts) == 1 })
	// The look at the start is over: from here on only a push can explain a message.
	r.gateway.PushTwice(true)
	r.gateway.HoldPushes()
	r.deliver(1, 6)
	r.gateway.ReleasePushes() // the last one first
	r.until("all messages", func() bool { return len(r.parts) >= 6 })
	r.gateway.PushTwice(false)
	r.deliver(6, 7)
	r.until("one more", func() bool { return slices.Contains(r.texts(), "in 6") })
	if got, want := r.texts(), []string{"in 0", "in 1", "in 2", "in 3", "in 4", "in 5", "in 6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatWasPushedWhileTheGatewayWasAwayIsFetchedWhenItIsBack(t *testing.T) {
	r := pushedRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.deliver(0, 1)
	r.until("the first message", func() bool { return len(r.parts) == 1 })
	r.gateway.Inject(sim.DinstarFault{Chance: 1, Do: sim.DropBefore})
	r.until("an absent gateway", func() bool { return r.ch[0].State == gateway.ChannelAbsent })
	r.deliver(1, 3)
	r.gateway.Heal()
	r.until("what came meanwhile", func() bool { return len(r.parts) == 3 })
}

func TestAPushWhoseQuestionFailsIsAskedForAgain(t *testing.T) {
	r := pushedRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	r.deliver(0, 1)
	r.until("the first message", func() bool { return len(r.parts) == 1 })
	for i, do := range []sim.DinstarDeed{sim.DropBefore, sim.AcceptAndDrop, sim.HalfJSON, sim.AnswerHTML, sim.HugeBody} {
		r.gateway.Inject(sim.DinstarFault{Path: "query_incoming_sms", At: 1, Do: do})
		r.deliver(i+1, i+2)
		r.until(fmt.Sprint("the message of deed ", do), func() bool { return len(r.parts) == i+2 })
	}
	r.mu.Lock()
	r.refuse = 1 // the host's disk is full
	r.mu.Unlock()
	r.deliver(6, 7)
	r.until("the message that could not be stored", func() bool { return len(r.parts) == 7 })
}

func TestAReportThatIsPushedIsFetchedAtOnce(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{Reports: sim.Reports{Delay: 20 * time.Millisecond}})
	t.Cleanup(func() { n.Close() })
	r := pushedRig(t, sim.DinstarOptions{Ports: 1, Network: n}, func(o *Options) { o.Report = true })
	r.ready(0)
	r.gateway.PushTwice(true)
	for i := range 3 {
		if _, err := r.send(0, uint32(i+1), fmt.Sprint("row ", i)); err != nil {
			t.Fatal(err)
		}
	}
	r.until("a report of each message", func() bool {
		refs := map[uint8]bool{}
		for _, s := range r.reports {
			refs[s.MR] = true
		}
		return len(refs) == 3
	})
}

func TestTheAnswerToAUSSDRequestIsFetchedWhenItIsPushed(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{USSD: map[string]sim.USSD{"*100#": {Text: "Saldo: $U 120"}}})
	t.Cleanup(func() { n.Close() })
	// By itself the driver would look for it once a minute.
	r := pushedRig(t, sim.DinstarOptions{Ports: 1, Network: n, Latency: 10 * time.Millisecond}, func(o *Options) { o.Times.USSD = time.Hour })
	r.ready(0)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if text, err := r.driver.USSD(ctx, 0, "*100#"); err != nil || text != "Saldo: $U 120" {
		t.Errorf("got %q, %v", text, err)
	}
}

// silent is a site that asks nobody: its chores count how often they are done.
func silent(t *testing.T) (d *Driver, s *site, done *[3]int) {
	t.Helper()
	d, err := New(Options{Provider: "rack", URL: "http://192.0.2.20"})
	if err != nil {
		t.Fatal(err)
	}
	s, done = newSite(d, nil), new([3]int)
	t.Cleanup(s.end)
	s.chores = s.chores[:3]
	for i, c := range s.chores {
		c.do = func(context.Context) bool { done[i]++; s.came = glance{well: true}; return false }
	}
	d.site.Store(s)
	return d, s, done
}

// turn has the keeper do what is due at a time.
func (s *site) turn(now time.Time) {
	s.answerPushes(now)
	for c := s.nextChore(); !c.due.After(now); c = s.nextChore() {
		s.perform(s.ctx, c, now)
	}
}

func hear(t *testing.T, d *Driver, body string) {
	t.Helper()
	if _, err := d.Hear([]byte(body)); err != nil {
		t.Fatalf("%s gives %v", body, err)
	}
}

func TestAStormOfPushesCostsFourLooksASecond(t *testing.T) {
	d, s, done := silent(t)
	now := time.Now()
	s.turn(now)
	start := *done
	for range 1000 {
		now = now.Add(time.Millisecond)
		for range 10 {
			hear(t, d, `{"sms":[{}],"register":[{}]}`)
		}
		s.turn(now)
	}
	if looks, most := done[1]-start[1], int(time.Second/pushGap); looks < 1 || looks > most {
		t.Errorf("10,000 pushes within a second had the inbox looked at %d times, want 1 to %d", looks, most)
	}
	if done[2] != start[2] {
		t.Error("a push of a message had the reports asked for")
	}
	s.turn(now.Add(pushGap))
	if before := done[1]; s.chores[1].due.Before(now.Add(pushGap)) {
		t.Errorf("after the storm the inbox is looked at without end: %d", before)
	}
}

func TestAGatewayThatKeepsItsWordIsAskedLessOften(t *testing.T) {
	d, s, _ := silent(t)
	inbox, news := s.chores[1], false
	well := true
	inbox.do = func(context.Context) bool { s.came = glance{well: well, news: news}; return false }
	now := time.Now()
	next := func() time.Duration {
		s.turn(now)
		return inbox.due.Sub(now)
	}
	if got := next(); got != 5*time.Second {
		t.Errorf("before any push the inbox is due again after %v", got)
	}
	now = now.Add(time.Second)
	hear(t, d, `{"sms":[{"incoming_sms_id":1}]}`)
	news = true
	if got := next(); got != time.Minute {
		t.Errorf("after a push it is due again after %v", got)
	}
	now, news = inbox.due, false
	if got := next(); got != time.Minute {
		t.Errorf("after a look that found nothing it is due again after %v", got)
	}
	now, news = inbox.due, true
	if got := next(); got != 5*time.Second {
		t.Errorf("after a message that nobody pushed it is due again after %v", got)
	}
	now = now.Add(time.Second)
	hear(t, d, `{"sms":[{"incoming_sms_id":3}]}`)
	if well = false; next() != 2*time.Second {
		t.Error("a look that failed is not soon tried again")
	}
	now, well = inbox.due, true
	if got := next(); got != time.Minute {
		t.Errorf("once the push is answered it is due again after %v", got)
	}
}

func TestAGatewayThatWasToPushAndDoesNotIsToldOfOnce(t *testing.T) {
	var log strings.Builder
	d, err := New(Options{Provider: "rack", URL: "http://192.0.2.20", Pushes: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(d, nil)
	t.Cleanup(s.end)
	inbox, more := s.chores[1], true
	inbox.do = func(context.Context) bool { s.came = glance{well: true, news: true}; return more }
	now := time.Now()
	s.perform(t.Context(), inbox, now)
	more = false
	s.perform(t.Context(), inbox, now) // its second page
	if log.Len() > 0 {
		t.Errorf("what lay in the inbox at the start is held against it: %s", &log)
	}
	for range 3 {
		now = now.Add(time.Minute)
		s.perform(t.Context(), inbox, now)
	}
	if n := strings.Count(log.String(), "is its push URL right?"); n != 1 {
		t.Errorf("it is told %d times: %s", n, &log)
	}
}

func TestAPushOfAResultHasTheOutcomeAskedForNow(t *testing.T) {
	d, s, _ := silent(t)
	now := time.Now()
	s.open[7] = &awaited{userID: 7, posted: now, due: now.Add(time.Hour)}
	hear(t, d, `{"sms_result":[{"port":0,"number":"+59899123456","status":"SENT_OK"}]}`)
	s.turn(now)
	if due, some := s.outcomesDue(); !some || due.After(now) {
		t.Errorf("it is asked for in %v", due.Sub(now))
	}
}

func TestAGatewayThatStartedAgainIsLookedAtWhole(t *testing.T) {
	d, s, done := silent(t)
	now := time.Now()
	s.turn(now)
	start := *done
	hear(t, d, `{"device":{"port_number":8,"status":"power_on"}}`)
	now = now.Add(pushGap)
	s.turn(now)
	for i := range done {
		if done[i] != start[i]+1 {
			t.Errorf("chore %d was done %d times", i, done[i]-start[i])
		}
	}
	if !s.inbox.doubt {
		t.Error("the ids of the inbox are still believed")
	}
}

func TestAPushOfAnotherGatewayIsRefused(t *testing.T) {
	d, s, _ := silent(t)
	hear(t, d, `{"sn":"da00-0000-0000-0002","sms":[]}`) // nobody answered yet
	s.learn(answer{SN: "da00-0000-0000-0001"})
	s.rung.Store(0)
	_, err := d.Hear([]byte(`{"sn":"da00-0000-0000-0002","sms":[{}]}`))
	if gateway.KindOf(err) != gateway.KindForbidden || !strings.Contains(fmt.Sprint(err), "da00-0000-0000-0002") {
		t.Errorf("it gives %v", err)
	}
	if s.rung.Load() != 0 {
		t.Error("the push of another gateway is answered")
	}
	for _, own := range []string{`{"sn":"da00-0000-0000-0001","sms":[{}]}`, `{"sms":[{}]}`} {
		hear(t, d, own)
	}
}

func TestWhateverIsPushedHasAnAnswer(t *testing.T) {
	d, s, _ := silent(t)
	for body, want := range map[string]string{
		`{"sn":1,"sms":"no list"}`:              "sms",
		`{"sms":null,"SMS":[],"new_event":[1]}`: "sms",
		`{"brand_new":[{}]}`:                    "",
		`{}`:                                    "",
		`{"ussd":{"port":"0","text":" "},"cdr":[{}]}`:             "cdr ussd",
		`{"ussd":[{"port":-1},{"port":1e99},7,null]}`:             "ussd",
		`{"exception_info":{"port":3,"type":"call_fail"}}`:        "exception_info",
		`{"device":[],"register":[{"iccid":"<NULL>","port":[]}]}`: "device register",
	} {
		events, err := d.Hear([]byte(body))
		if err != nil || strings.Join(events, " ") != want {
			t.Errorf("%s gives %q, %v", body, events, err)
		}
		s.answerPushes(time.Now())
	}
	for _, body := range []string{"", "null", "[]", `"sms"`, "<html>", `{"sms":[`, `{"sms":1}x`} {
		if _, err := d.Hear([]byte(body)); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%q gives %v, want invalid", body, err)
		}
	}
	d.site.Store(nil)
	if events, err := d.Hear([]byte(`{"sn":"x","sms":[]}`)); err != nil || len(events) != 1 {
		t.Errorf("between two runs it gives %q, %v", events, err)
	}
}

func FuzzPush(f *testing.F) {
	for _, seed := range []string{
		`{"sn":"da00","sms":[{"incoming_sms_id":58,"port":0,"number":"+59899000009","timestamp":"2026-11-22 14:51:00","text":"Hola"}]}`,
		`{"sms_result":[{"port":0,"status":"SENT_OK"}]}`, `{"ussd":[{"port":31}]}`, `{"device":{"status":"power_on"}}`,
		`{"exception_info":{"port":3,"type":"call_fail","action":"reset"}}`, `{`, `null`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parsePush(body)
		if err != nil && gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("it gives %v", err)
		}
		if len(p.what) > len(pushKeys()) || !slices.IsSorted(p.what) {
			t.Errorf("it names %q", p.what)
		}
		for _, n := range p.ports {
			if n < 0 || n > gateway.MaxPort {
				t.Errorf("it names port %d", n)
			}
		}
		if len(clipped(p.serial)) > 43 {
			t.Errorf("%q is not bounded", clipped(p.serial))
		}
	})
}
