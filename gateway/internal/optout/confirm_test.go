package optout

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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk keeps wishes and takes confirmations, in memory.
type desk struct {
	mu     sync.Mutex
	wishes []gateway.Inbound
	news   chan struct{}
	posted []Reply
	fault  error // of posting
}

func newDesk(ins ...gateway.Inbound) *desk { return &desk{wishes: ins, news: make(chan struct{})} }

func wish(seq uint64, w gateway.Wish) gateway.Inbound {
	return gateway.Inbound{Seq: seq, From: "+59899123456", Channel: "bank/3", Wish: w, ReceivedAt: time.Now()}
}

func (d *desk) Unreplied(limit int) ([]gateway.Inbound, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.wishes[:min(limit, len(d.wishes))]), nil
}

func (d *desk) Replied(_ context.Context, seq uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wishes = slices.DeleteFunc(d.wishes, func(in gateway.Inbound) bool { return in.Seq == seq })
	return nil
}

func (d *desk) WatchWishes() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.news
}

func (d *desk) post(_ context.Context, r Reply) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		return d.fault
	}
	d.posted = append(d.posted, r)
	return nil
}

func (d *desk) add(in gateway.Inbound) {
	d.mu.Lock()
	d.wishes = append(d.wishes, in)
	close(d.news)
	d.news = make(chan struct{})
	d.mu.Unlock()
	synctest.Wait()
}

func (d *desk) look() (posted []Reply, waiting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.posted), len(d.wishes)
}

// attend runs a confirmer for a while in this bubble.
func (d *desk) attend(t *testing.T, during func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := NewConfirmer(ConfirmOptions{Wishes: d, Post: d.post, Stop: "No more.", Start: "Welcome back."})
	go func() { ended <- c.Run(ctx) }()
	synctest.Wait()
	during()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestEachWishIsConfirmedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(wish(7, gateway.WishStop))
		d.attend(t, func() {
			d.add(wish(8, gateway.WishStart))
			time.Sleep(time.Hour)
			synctest.Wait()
			posted, waiting := d.look()
			until := time.Now().Add(-time.Hour).Add(keep)
			want := []Reply{
				{"7", "bank", "3", "+59899123456", "No more.", until}, {"8", "bank", "3", "+59899123456", "Welcome back.", until},
			}
			if !slices.Equal(posted, want) || waiting != 0 {
				t.Errorf("posted %+v, want %+v; %d wait", posted, want, waiting)
			}
		})
	})
}

func TestAConfirmationThatCannotBePostedNowWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(wish(7, gateway.WishStop))
		d.fault = gateway.Errorf(gateway.KindUnavailable, "the disk is full")
		d.attend(t, func() {
			time.Sleep(2 * maxDaily * again) // a try that came to nothing is no confirmation
			synctest.Wait()
			if _, waiting := d.look(); waiting != 1 {
				t.Fatal("it was forgotten")
			}
			d.mu.Lock()
			d.fault = nil
			d.mu.Unlock()
			time.Sleep(again)
			synctest.Wait()
			if posted, waiting := d.look(); len(posted) != 1 || waiting != 0 {
				t.Errorf("posted %+v, %d wait", posted, waiting)
			}
		})
	})
}

func TestAConfirmationThatCanNeverBePostedIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{gateway.Invalid("text", "too long"), gateway.Errorf(gateway.KindNotFound, "no provider")} {
			d := newDesk(wish(7, gateway.WishStop))
			d.fault = err
			d.attend(t, func() {
				if _, waiting := d.look(); waiting != 0 {
					t.Errorf("%v: it waits for ever", err)
				}
			})
		}
	})
}

func TestNothingIsConfirmedThatIsOldOrWasNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := wish(7, gateway.WishStop)
		old.ReceivedAt = time.Now().Add(-keep)
		lost := gateway.Inbound{Seq: 8} // its record cannot be read
		d := newDesk(old, lost, wish(9, gateway.WishNone))
		for i := range 3 * page {
			d.wishes = append(d.wishes, wish(uint64(10+i), gateway.WishNear))
		}
		d.attend(t, func() {
			if posted, waiting := d.look(); len(posted) != 0 || waiting != 0 {
				t.Errorf("posted %+v, %d wait", posted, waiting)
			}
		})
	})
}

// A machine at the other end answers our confirmation with its own word for stop, and that
// with its word for start.
func TestANumberThatGoesOnChangingItsWishIsToldFourTimesADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.attend(t, func() {
			for i := range uint64(10) {
				d.add(wish(2*i+1, gateway.WishStop))
				d.add(wish(2*i+2, gateway.WishStart))
			}
			other := wish(100, gateway.WishStop)
			other.From = "+59899000000"
			d.add(other)
			if posted, waiting := d.look(); len(posted) != maxDaily+1 || waiting != 0 {
				t.Errorf("posted %d, %d wait", len(posted), waiting)
			}
			time.Sleep(keep)
			d.add(wish(101, gateway.WishStop))
			if posted, _ := d.look(); len(posted) != maxDaily+2 {
				t.Errorf("posted %d in two days", len(posted))
			}
		})
	})
}

func TestMemoryOfNumbersIsBounded(t *testing.T) {
	c := NewConfirmer(ConfirmOptions{})
	for i := range maxTold + 10 {
		to := gateway.Address(fmt.Sprint("+5989", i))
		if !c.mayTell(to) {
			t.Fatal("a number that was never told is not told")
		}
		c.tell(to)
	}
	if len(c.told) != maxTold {
		t.Errorf("%d numbers are remembered", len(c.told))
	}
}

func TestAFaultThatSaysNothingLosesNoConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(wish(7, gateway.WishStop))
		d.fault = errors.New("?")
		d.attend(t, func() {
			if _, waiting := d.look(); waiting != 1 {
				t.Error(fmt.Sprint(waiting, " wait"))
			}
		})
	})
}
