package reconcile

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

const (
	// maxOpen bounds the doubts that are asked about at a time. The rest follow as these
	// end, or grow too old.
	maxOpen = 4096
	// maxShare bounds those of one provider among them, so that one that knows nothing of
	// what it took, or does not come back, keeps nobody else's out.
	maxShare = maxOpen / 4
	// page is how many doubts one look into the spool gives.
	page = 500
)

// key names a try.
type key struct {
	idm     uint64
	segment int
	userID  uint32
}

func keyOf(d *spool.Doubt) key { return key{d.IDM, d.Segment, d.UserID} }

// doubt is a try that is asked about.
type doubt struct {
	spool.Doubt
	device string    // that can be asked; "" = it is not there, or has another SIM in it
	asked  int       // since it is there
	due    time.Time // of the next question
	asking bool      // a question is out
}

// waits are the waits after the first questions; the last one repeats.
func waits() []time.Duration {
	return []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
}

// refresh reads the doubts, when it is time to. Those that are known keep their place.
func (r *Reconciler) refresh(now time.Time) {
	if now.Before(r.read.Add(readEvery)) {
		return
	}
	r.read, r.last, r.left = now, now, false
	open, share := map[key]*doubt{}, map[string]int{}
	for after := uint64(0); len(open) < maxOpen; {
		some, err := r.o.Store.Doubts(after, page)
		if err != nil {
			r.o.Logger.Error("the messages in doubt cannot be read", slog.Any("error", err))
			r.read = now.Add(readAgain - readEvery)
			return
		}
		if len(some) == 0 {
			break
		}
		after = some[len(some)-1].IDM
		for i := range some {
			k := keyOf(&some[i])
			provider, _, _ := gateway.SplitChannelID(some[i].Channel)
			if share[provider]++; share[provider] > maxShare {
				r.left = true
				continue
			}
			if open[k] = r.open[k]; open[k] == nil {
				open[k] = &doubt{Doubt: some[i], due: now}
			}
		}
	}
	r.open, r.left = open, r.left || len(open) >= maxOpen
}

// readSoon has the doubts read again, though not twice within readPause: each reading
// is one of all that there are.
func (r *Reconciler) readSoon() { r.read = r.last.Add(readPause - readEvery) }

// look finds which doubts have a device to ask. One whose device came back is asked at
// once, and often again.
func (r *Reconciler) look(now time.Time) {
	if len(r.open) == 0 {
		return
	}
	there := map[string]gateway.Channel{}
	for _, c := range r.o.Devices.Channels() {
		there[c.ID] = c
	}
	for _, d := range r.open {
		was := d.device
		d.device = deviceFor(&d.Doubt, there)
		if d.device != "" && was == "" {
			d.asked, d.due = 0, now
		}
	}
}

// deviceFor names the device that took a try; "" while it cannot be asked.
func deviceFor(d *spool.Doubt, there map[string]gateway.Channel) string {
	c, ok := there[d.Channel]
	switch {
	case !ok, c.State == gateway.ChannelAbsent, c.State == gateway.ChannelStarting, c.SIMKey() != d.SIM:
		return ""
	case c.Device != "":
		return c.Device
	}
	return c.Provider
}

// byDue gives the doubts that may be asked about, the next first.
func (r *Reconciler) byDue() []*doubt {
	var all []*doubt
	for _, d := range r.open {
		if d.device != "" && !d.asking {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *doubt) int {
		return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.IDM, b.IDM), cmp.Compare(a.UserID, b.UserID))
	})
	return all
}

// answered takes in the end of a question.
func (r *Reconciler) answered(a answer) {
	delete(r.busy, a.device)
	d := r.open[a.key]
	switch {
	case d == nil: // let go meanwhile
	case a.ended:
		delete(r.open, a.key)
		if r.left {
			r.readSoon()
		}
	default:
		w := waits()
		d.asking = false
		d.due = time.Now().Add(w[min(d.asked, len(w)-1)])
		d.asked++
	}
}

func textOf(err error) string {
	var e *gateway.Error
	if errors.As(err, &e) && e.Text != "" {
		return e.Text
	}
	return err.Error()
}

func codeOf(err error) string {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
