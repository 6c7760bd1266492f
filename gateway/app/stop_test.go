package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
	"fieldpost/spool"
)

// inFlight makes a house whose modem holds its answer back, and sends a message.
func inFlight(t *testing.T) (h *house, id string, answer func()) {
	t.Helper()
	hit, until := make(chan struct{}), make(chan struct{})
	h = newHouse(t, setup{sim: sim.BankOptions{Faults: []sim.Fault{{At: 1, Do: sim.Late, Until: until, Hit: hit}}}})
	h.started("alerts")
	id = h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts"}).ID
	arrives(t, "the modem has the message", hit)
	told := false
	answer = func() {
		if !told {
			close(until)
		}
		told = true
	}
	t.Cleanup(answer) // before the bank is closed
	return h, id, answer
}

func TestStopLetsASendInFlightLearnItsOutcomeAndTakesNothingNew(t *testing.T) {
	t.Parallel()
	h, id, answer := inFlight(t)
	h.cancel()
	eventually(t, "the daemon is not ready", func() bool { return h.call("GET", "/readyz", "", nil).status == http.StatusServiceUnavailable })

	form := "destination=098344485&message=Hi&campaign=alerts"
	refused := h.call("POST", "/Integra/resources/SMS/SendSMS", "application/x-www-form-urlencoded", strings.NewReader(form))
	if refused.status != http.StatusServiceUnavailable || refused.header.Get("Retry-After") == "" {
		t.Errorf("a new message got %d %q, Retry-After %q", refused.status, refused.body, refused.header.Get("Retry-After"))
	}
	if _, err := h.Send(t.Context(), client.NewMessage{To: "098344485", Text: "Hi", Campaign: "alerts"}); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a new message got %v", err)
	}
	if s, err := h.Site(t.Context()); err != nil || s.State != siteDraining || s.Channels.Ready != 1 {
		t.Errorf("the site says %+v (%v)", s, err)
	}
	if m := h.message(id); m.Status != "submitting" {
		t.Errorf("the message is %s while its answer is held back", m.Status)
	}
	select {
	case err := <-h.ended:
		t.Fatalf("it ended with a send in flight: %v", err)
	default:
	}
	answer()
	if err := h.wait(); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	h.withSpool(func(s *spool.Spool) {
		if got := statusOf(t, s, id); got != gateway.StatusSent {
			t.Errorf("the message is %s", got)
		}
		if all, _ := s.AllCounters(); all["alerts"].Uploaded != 1 {
			t.Errorf("the counters are %+v", all)
		}
	})
	want := []string{"admission", "dialer", "bank", "http", "base loader", "admin token", "spool"}
	got := slices.DeleteFunc(h.log.stopped(), func(part string) bool { return !slices.Contains(want, part) })
	if !slices.Equal(got, want) {
		t.Errorf("stopped in the order %q", got)
	}
	if said := `state=absent reason="it was told to stop"`; !strings.Contains(h.log.String(), said) {
		t.Errorf("the log does not say %s", said)
	}
	if _, err := os.Stat(filepath.Join(h.dir, AdminTokenFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the admin token is left: %v", err)
	}
}

func TestSecondSignalGoesStraightToTheSpoolAndTheSendIsInDoubt(t *testing.T) {
	t.Parallel()
	h, id, answer := inFlight(t)
	h.cancel()
	eventually(t, "the daemon is not ready", func() bool { return h.call("GET", "/readyz", "", nil).status == http.StatusServiceUnavailable })
	began := time.Now()
	h.hurry()
	if err := h.wait(); !errors.Is(err, errHurry) {
		t.Errorf("it ended with: %v", err)
	}
	if took := time.Since(began); took > drainTime {
		t.Errorf("it took %s", took)
	}
	answer()
	h.start()
	h.ready(1)
	m := h.message(id)
	if m.Status != "unknown" {
		t.Errorf("the message is %s after the restart", m.Status)
	}
	if n := h.bank.Network.Len(); n != 1 {
		t.Errorf("it is %d times on the air", n)
	}
}

func TestStopGoesOnWithoutASendWhoseModemNeverAnswers(t *testing.T) {
	t.Parallel()
	h, id, _ := inFlight(t)
	began := time.Now()
	h.cancel()
	if err := h.wait(); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if took := time.Since(began); took > stopTime {
		t.Errorf("it took %s", took)
	}
	h.withSpool(func(s *spool.Spool) {
		if got := statusOf(t, s, id); got != gateway.StatusUnknown {
			t.Errorf("the message is %s", got)
		}
	})
}

func TestAnActorThatEndsTakesTheDaemonDownWithItsName(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*App) error{
		"bank": func(a *App) error { return a.bank.Close() },
		"http": func(a *App) error { return a.listeners[0].Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, setup{})
			h.ready(1)
			must(t, end(h.app))
			err := h.wait()
			if want := name + " ended before it was told to"; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("it ended with: %v", err)
			}
			h.start() // everything was given back
			h.ready(1)
		})
	}
}

func TestAPanicOfAnActorStopsTheOthersInOrder(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{})
	a, err := h.build()
	must(t, err)
	a.actor("clumsy", func(context.Context) error { panic("dropped it") })
	err = a.Run(t.Context(), t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "clumsy ended before it was told to: panic: dropped it\n") {
		t.Errorf("it ended with: %v", err)
	}
	if got := h.log.stopped(); len(got) == 0 || got[len(got)-1] != "spool" {
		t.Errorf("stopped: %q", got)
	}
}

func TestStopWithoutRunGivesEverythingBack(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{})
	a, err := h.build()
	must(t, err)
	address := a.Addresses()[0]
	must(t, a.Stop(t.Context()))
	must(t, a.Stop(t.Context())) // nothing is given back twice
	l, err := net.Listen("tcp", address)
	must(t, err)
	must(t, l.Close())
	h.start()
	h.ready(1)
}

// stopped gives the parts of the daemon that were stopped, in order.
func (j *journalOf) stopped() []string {
	var all []string
	for _, m := range regexp.MustCompile(`msg=stopped part=("[^"]*"|\S*)`).FindAllStringSubmatch(j.String(), -1) {
		all = append(all, strings.Trim(m[1], `"`))
	}
	return all
}

func statusOf(t *testing.T, s *spool.Spool, id string) gateway.Status {
	t.Helper()
	idm, err := strconv.ParseUint(id, 10, 64)
	must(t, err)
	m, err := s.Message(idm)
	must(t, err)
	return m.Status
}

func TestStopIsNotHeldUpByThoseWhoReadOrSendWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("test1")
	var calling sync.WaitGroup
	reading := make(chan struct{})
	ctx, enough := context.WithCancel(t.Context())
	defer calling.Wait()
	defer enough()
	calling.Go(func() {
		first := true
		for _, err := range h.Events(ctx, 0) {
			if err != nil {
				return
			}
			if first {
				close(reading)
			}
			first = false
		}
	})
	arrives(t, "the stream is read", reading)
	r, w := io.Pipe()
	defer w.Close()
	calling.Go(func() {
		_, err := h.UploadBase(ctx, "test1", client.File{Reader: r})
		r.CloseWithError(err)
		if err == nil {
			t.Error("half a file was accepted")
		}
	})
	_, err := w.Write([]byte(numbered("test1", 10)))
	must(t, err)
	eventually(t, "the file is on its way", func() bool {
		files, err := os.ReadDir(filepath.Join(h.dir, "bases"))
		return err == nil && len(files) > 0
	})
	h.stop()
	h.withSpool(func(s *spool.Spool) {
		if all, _ := s.AllCounters(); all["test1"].Uploaded != 0 {
			t.Errorf("the counters are %+v", all)
		}
	})
}
