package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sim      = "8959801234567890123"
	customer = "+59899123456"
)

// world is a spool with doubts, and devices that are asked about them.
type world struct {
	t      *testing.T
	mu     sync.Mutex
	began  time.Time
	doubts []spool.Doubt
	news   chan struct{}
	there  []gateway.Channel
	watch  chan struct{}
	say    func(ctx context.Context, id string, userID uint32) (modem.Receipt, error)
	fault  error // of reading the doubts
	full   error // of settling one
	reads  int   // of the doubts

	out map[string]int // questions out, by channel
	saw record
}

// record is what a world saw.
type record struct {
	asked   []time.Duration // since the beginning, of the first user id
	most    int             // questions of one channel at a time
	settled []spool.Outcome
}

func (w *world) seen() record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return record{slices.Clone(w.saw.asked), w.saw.most, slices.Clone(w.saw.settled)}
}

func newWorld(t *testing.T, doubts ...spool.Doubt) *world {
	return &world{
		t: t, began: time.Now(), doubts: doubts, news: make(chan struct{}), watch: make(chan struct{}), out: map[string]int{},
		there: []gateway.Channel{{ID: "rack/0", Provider: "rack", Device: "http://rack", State: gateway.ChannelReady, ICCID: sim}},
		say: func(context.Context, string, uint32) (modem.Receipt, error) {
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "the gateway does not know the message")
		},
	}
}

func doubtOf(idm uint64) spool.Doubt {
	return spool.Doubt{IDM: idm, UserID: uint32(100 + idm), Channel: "rack/0", To: customer, SIM: sim, Attempt: 1, At: time.Now()}
}

func (w *world) Doubts(after uint64, limit int) ([]spool.Doubt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []spool.Doubt
	w.reads++
	for _, d := range w.doubts {
		if d.IDM > after && len(all) < limit {
			all = append(all, d)
		}
	}
	return all, w.fault
}

func (w *world) WatchDoubts() <-chan struct{} { w.mu.Lock(); defer w.mu.Unlock(); return w.news }
func (w *world) Watch() <-chan struct{}       { w.mu.Lock(); defer w.mu.Unlock(); return w.watch }
func (w *world) Channels() []gateway.Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.there)
}

func (w *world) Reconcile(ctx context.Context, id string, q modem.Question) (modem.Receipt, error) {
	w.mu.Lock()
	if q.UserID == 101 && q.To == customer {
		w.saw.asked = append(w.saw.asked, time.Since(w.began))
	}
	w.out[id]++
	w.saw.most = max(w.saw.most, w.out[id])
	say := w.say
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.out[id]--; w.mu.Unlock() }()
	return say(ctx, id, q.UserID)
}

func (w *world) Settle(_ context.Context, d spool.Doubt, o spool.Outcome) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full != nil {
		return false, w.full
	}
	w.saw.settled = append(w.saw.settled, o)
	w.doubts = slices.DeleteFunc(w.doubts, func(x spool.Doubt) bool { return x == d })
	return true, nil
}

// change changes the world and wakes who watches it.
func (w *world) change(f func()) {
	w.mu.Lock()
	f()
	close(w.watch)
	w.watch = make(chan struct{})
	w.mu.Unlock()
	synctest.Wait()
}

func (w *world) doubt(d spool.Doubt) {
	w.mu.Lock()
	w.doubts = append(w.doubts, d)
	close(w.news)
	w.news = make(chan struct{})
	w.mu.Unlock()
	synctest.Wait()
}

// play runs a reconciler for a while in this bubble.
func (w *world) play(retry func(gateway.Kind, int) (time.Duration, bool), during func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	r := New(Options{Store: w, Devices: w, Retry: retry})
	go func() { ended <- r.Run(ctx) }()
	synctest.Wait()
	during()
	cancel()
	if err := <-ended; err != nil {
		w.t.Error(err)
	}
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestADeviceIsAskedAtOnceAndThenLessAndLess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, doubtOf(1))
		w.play(nil, func() { after(3 * time.Hour) })
		m := time.Minute
		want := []time.Duration{0, 15 * time.Second, m + 15*time.Second, 6*m + 15*time.Second, 21*m + 15*time.Second, 81*m + 15*time.Second, 141*m + 15*time.Second}
		if !slices.Equal(w.seen().asked, want) || len(w.seen().settled) != 0 {
			t.Errorf("asked after %v, want %v; settled %+v", w.seen().asked, want, w.seen().settled)
		}
	})
}

func TestTheWordOfADeviceSettlesADoubt(t *testing.T) {
	for name, tc := range map[string]struct {
		receipt modem.Receipt
		err     error
		want    spool.Outcome
	}{
		"accepted": {modem.Receipt{MR: 7, HasMR: true}, nil, spool.Outcome{IDM: 1, MR: 7, HasMR: true}},
		"refused": {modem.Receipt{}, &gateway.Error{Kind: gateway.KindRefused, Text: "it could not", Code: "FAILED"},
			spool.Outcome{IDM: 1, Kind: gateway.KindRefused, Text: "it could not", Code: "FAILED"}},
		"taken back": {modem.Receipt{}, gateway.Errorf(gateway.KindUnavailable, "it was taken out"),
			spool.Outcome{IDM: 1, Kind: gateway.KindUnavailable, Text: "it was taken out", Retry: time.Date(2000, 1, 1, 0, 0, 5, 0, time.UTC)}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, doubtOf(1))
				w.say = func(context.Context, string, uint32) (modem.Receipt, error) { return tc.receipt, tc.err }
				table := func(k gateway.Kind, n int) (time.Duration, bool) {
					return 5 * time.Second, k == gateway.KindUnavailable && n == 1
				}
				w.play(table, func() { after(2 * time.Hour) })
				if len(w.seen().settled) != 1 || len(w.seen().asked) != 1 {
					t.Fatalf("asked %d times, settled %+v", len(w.seen().asked), w.seen().settled)
				}
				got := w.seen().settled[0]
				if !got.Retry.Equal(tc.want.Retry) {
					t.Errorf("tried again at %v, want %v", got.Retry, tc.want.Retry)
				}
				if got.Retry, tc.want.Retry = (time.Time{}), (time.Time{}); got != tc.want {
					t.Errorf("settled as %+v, want %+v", got, tc.want)
				}
			})
		})
	}
}

func TestOnlyTheDeviceWithTheSameSIMIsAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, doubtOf(1))
		w.there[0].ICCID = "another"
		w.play(nil, func() {
			after(2 * time.Hour)
			if len(w.seen().asked) != 0 {
				t.Errorf("asked after %v", w.seen().asked)
			}
			w.change(func() { w.there[0].ICCID, w.there[0].State = sim, gateway.ChannelStarting })
			w.change(func() { w.there = nil })
			if len(w.seen().asked) != 0 {
				t.Errorf("asked after %v", w.seen().asked)
			}
		})
	})
}

func TestADeviceThatComesBackIsAskedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, doubtOf(1))
		w.play(nil, func() {
			after(30 * time.Minute)
			w.change(func() { w.there[0].State = gateway.ChannelAbsent })
			after(time.Minute)
			n := len(w.seen().asked)
			w.change(func() { w.there[0].State = gateway.ChannelReady })
			after(15 * time.Second)
			if got := w.seen().asked[n:]; len(got) != 2 || got[0] != 31*time.Minute {
				t.Errorf("asked after %v", got)
			}
		})
	})
}

func TestADoubtThatComesIsAskedAboutAndOneThatEndedIsNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.play(nil, func() {
			after(time.Minute)
			w.doubt(doubtOf(1))
			if !slices.Equal(w.seen().asked, []time.Duration{time.Minute}) {
				t.Errorf("asked after %v", w.seen().asked)
			}
			w.mu.Lock()
			w.doubts = nil // a report came
			w.mu.Unlock()
			after(2 * time.Hour)
			n := len(w.seen().asked)
			after(5 * time.Hour)
			if len(w.seen().asked) != n {
				t.Error("it is still asked about")
			}
		})
	})
}

// A question to a gateway that hangs holds up no other gateway, and the end of Run
// only until its own context ends.
func TestOneQuestionADeviceAndNoneForAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		other := doubtOf(9)
		other.Channel = "sack/0"
		w := newWorld(t, doubtOf(1), doubtOf(2), doubtOf(3), other)
		w.there = append(w.there, gateway.Channel{ID: "sack/0", Provider: "sack", State: gateway.ChannelReady, ICCID: sim})
		w.say = func(ctx context.Context, id string, userID uint32) (modem.Receipt, error) {
			if id == "sack/0" {
				return modem.Receipt{MR: 1, HasMR: true}, nil
			}
			<-ctx.Done()
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "no answer")
		}
		w.play(nil, func() {
			if len(w.seen().settled) != 1 || w.seen().settled[0].IDM != 9 || w.seen().most != 1 {
				t.Errorf("settled %+v; %d questions at a time", w.seen().settled, w.seen().most)
			}
			after(4 * askTime)
			if len(w.seen().asked) != 2 || w.seen().most != 1 {
				t.Errorf("asked after %v, %d at a time", w.seen().asked, w.seen().most)
			}
		})
	})
}

func TestAFaultOfTheSpoolLosesNoDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, doubtOf(1))
		w.fault, w.full = errors.New("it cannot be read"), errors.New("no room")
		w.say = func(context.Context, string, uint32) (modem.Receipt, error) { return modem.Receipt{}, nil }
		w.play(nil, func() {
			w.mu.Lock()
			w.fault = nil
			w.mu.Unlock()
			after(readAgain)
			if len(w.seen().asked) != 1 || len(w.seen().settled) != 0 {
				t.Fatalf("asked after %v, settled %+v", w.seen().asked, w.seen().settled)
			}
			w.mu.Lock()
			w.full = nil
			w.mu.Unlock()
			after(15 * time.Second)
			if len(w.seen().settled) != 1 {
				t.Errorf("settled %+v", w.seen().settled)
			}
		})
	})
}

func TestMemoryOfDoubtsIsBounded(t *testing.T) {
	w := newWorld(t)
	for i := range uint64(3 * maxOpen) {
		d := doubtOf(i + 1)
		d.Channel = fmt.Sprintf("rack%d/0", i%16)
		w.doubts = append(w.doubts, d)
	}
	r := New(Options{Store: w, Devices: w})
	r.refresh(time.Now())
	if n := len(r.open); n < maxOpen || n >= maxOpen+page {
		t.Errorf("%d doubts are held", n)
	}
}

// A gateway that knows nothing of what it took fills no memory that another one's doubts
// need, and its own rest follows when the first of it end.
func TestTheDoubtsOfOneProviderKeepNobodyElsesOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		const many = maxOpen + page
		for i := range uint64(many) {
			w.doubts = append(w.doubts, doubtOf(i+1))
		}
		other := doubtOf(many + 1)
		other.Channel = "sack/0"
		w.doubts = append(w.doubts, other)
		w.there = append(w.there, gateway.Channel{ID: "sack/0", Provider: "sack", State: gateway.ChannelReady, ICCID: sim})
		knows := false
		w.say = func(_ context.Context, id string, _ uint32) (modem.Receipt, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if knows || id == "sack/0" {
				return modem.Receipt{MR: 1, HasMR: true}, nil
			}
			return modem.Receipt{}, gateway.Errorf(gateway.KindUnknownOutcome, "the gateway does not know the message")
		}
		w.play(nil, func() {
			if s := w.seen().settled; len(s) != 1 || s[0].IDM != other.IDM {
				t.Errorf("settled %d doubts", len(s))
			}
			w.mu.Lock()
			knows = true
			w.mu.Unlock()
			after(2*time.Hour + time.Minute)
			if n := len(w.seen().settled); n != many+1 {
				t.Errorf("settled %d doubts of %d", n, many+1)
			}
		})
	})
}

// Each doubt is news, and all of them are read at each news.
func TestManyDoubtsAtOnceAreReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.play(nil, func() {
			before := w.reads
			for i := range uint64(50) {
				w.doubt(doubtOf(i + 1))
			}
			after(readPause)
			if n := w.reads - before; n > 6 || len(w.seen().asked) != 1 {
				t.Errorf("the doubts are read %d times; asked after %v", n, w.seen().asked)
			}
		})
	})
}
