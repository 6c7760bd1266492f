package serial

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

// Reports that the disk does not take wait for it, in order, over the end of a run, and
// while messages go out.
func TestReportsWaitForTheDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Report = true })
	r.host.refuse = errors.New("the disk is full")
	r.run(t)
	r.host.ready(t)
	var want []uint8
	for i := range 10 {
		rec, err := r.d.Send(bg, 3, submission(t, fmt.Sprintf("+5989912345%d", i), "Hola")[0])
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, rec.MR)
	}
	r.host.until(t, "all reports in memory", func() bool { // each refusal is a moment to look
		b := r.d.handed
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.items) == len(want) && r.host.refused > 0
	})
	if err := r.m.Replug(); err != nil {
		t.Fatal(err)
	}
	r.host.until(t, "the end of the run", func() bool { return strings.Contains(strings.Join(r.host.reasons, ";"), "modem lost") })
	r.host.ready(t)
	r.host.change(func() { r.host.refuse = nil })
	r.host.until(t, "all reports", func() bool { return len(r.host.reports) == len(want) })
	for i, rep := range r.host.reports {
		if rep.MR != want[i] || rep.SIM != "8959807000000000001" || rep.Channel != "bank/3" {
			t.Errorf("report %d is %+v, want reference %d", i, rep, want[i])
		}
	}
}

// A disk that is out for a day costs no report, and is asked twice a minute in the end.
func TestBacklogOutlastsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newRecording()
		host.refuse = errors.New("the disk is full")
		d, err := New(Options{Port: gateway.Port{Port: 3, Device: "memory"}})
		if err != nil {
			t.Fatal(err)
		}
		l := newRun(d, host, "memory", &instant{lines: make(chan string, 8), done: make(chan struct{})})
		defer l.close()
		for i := range 100 {
			l.keepHanded(handed{report: &gateway.StatusReport{MR: uint8(i)}})
		}
		time.Sleep(24 * time.Hour)
		host.change(func() {
			if host.refused < 2000 || host.refused > 3000 {
				t.Errorf("it was tried %d times", host.refused)
			}
			host.refuse = nil
		})
		time.Sleep(storeRest * time.Second)
		synctest.Wait()
		host.mu.Lock()
		defer host.mu.Unlock()
		for i, rep := range host.reports {
			if int(rep.MR) != i {
				t.Fatalf("report %d is %d", i, rep.MR)
			}
		}
		if len(host.reports) != 100 {
			t.Errorf("%d reports", len(host.reports))
		}
	})
}

func TestBacklogIsBoundedAndSaysWhatIsLost(t *testing.T) {
	b := newBacklog()
	for range maxBacklog {
		if ok, _ := b.put(handed{}); !ok {
			t.Fatal("no room")
		}
	}
	if ok, lost := b.put(handed{}); ok || lost != 1 {
		t.Errorf("%t, %d lost", ok, lost)
	}
	select {
	case <-b.emptied():
		t.Error("it is said to be empty")
	default:
	}
	for range maxBacklog {
		b.drop()
	}
	<-b.emptied()
}

// One that never can be stored does not stand before the others.
func TestReportThatNeverCanBeStoredIsPassedOver(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Report = true })
	r.host.refuse = gateway.Invalid("recipient", "is too long")
	r.run(t)
	r.host.ready(t)
	for i := range 2 {
		if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			r.host.until(t, "the refusal", func() bool { return r.host.refused == 1 })
			r.host.change(func() { r.host.refuse = nil })
		}
	}
	r.host.until(t, "the second", func() bool { return len(r.host.reports) == 1 })
}
