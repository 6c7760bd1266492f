package serial

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/tpdu"
)

const (
	maxBacklog = 4096        // what a channel keeps of it: some hundred bytes each
	storeRest  = 30          // times the first pause: between two tries in the end
	storeGrace = time.Second // that the end of a run gives it
)

// handed is what the modem handed over and keeps no copy of: a delivery report, or a
// message of a modem that does not do as +CNMI says. One of the two is set.
type handed struct {
	report *gateway.StatusReport
	part   *modem.Part
}

// store returns when it is on disk.
func (h handed) store(ctx context.Context, host modem.Host) error {
	if h.report != nil {
		return host.Report(ctx, *h.report)
	}
	return host.Inbound(ctx, *h.part)
}

// backlog keeps what was handed over until it is on disk, in order, however long the disk
// takes. It outlives a run. A modem would keep reports itself with +CNMI <ds> 2, at two
// commands and a write of the SIM for each, all of them in the way of messages; a disk
// that takes no report takes no message to be sent either, so that the backlog of memory
// is bounded by what was sent before.
type backlog struct {
	mu    sync.Mutex
	items []handed
	lost  int
	more  chan struct{} // there may be something; capacity 1
	empty chan struct{} // closed while there is nothing
}

func newBacklog() *backlog {
	b := &backlog{more: make(chan struct{}, 1), empty: make(chan struct{})}
	close(b.empty)
	return b
}

// put appends; false says that there is no room, and how many were lost by now.
func (b *backlog) put(h handed) (ok bool, lost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) >= maxBacklog {
		b.lost++
		return false, b.lost
	}
	if len(b.items) == 0 {
		b.empty = make(chan struct{})
	}
	b.items = append(b.items, h)
	select {
	case b.more <- struct{}{}:
	default:
	}
	return true, b.lost
}

// first gives the oldest.
func (b *backlog) first() (handed, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) == 0 {
		return handed{}, false
	}
	return b.items[0], true
}

// drop takes the oldest out: it is on disk, or never can be.
func (b *backlog) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items[0] = handed{}
	if b.items = b.items[1:]; len(b.items) == 0 {
		b.items = nil
		close(b.empty)
	}
}

// emptied is closed when nothing is left.
func (b *backlog) emptied() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.empty
}

// decoded reads one TPDU, whatever it is.
func (r *run) decoded(pdu string, length int) handed {
	if tpdu.IsReport(pdu, length) {
		return r.decodedReport(pdu, length)
	}
	p := r.part(tpdu.DecodeDeliver(pdu, length))
	return handed{part: &p}
}

// decodedReport reads a delivery report; one that cannot be read is kept with its raw hex.
func (r *run) decodedReport(pdu string, length int) handed {
	d := tpdu.DecodeReport(pdu, length)
	if d.Undecoded != "" {
		p := r.part(tpdu.DecodeDeliver(pdu, length))
		return handed{part: &p}
	}
	c := r.channel()
	c.ID = gateway.ChannelID(r.o.Provider, r.o.Port.Port)
	return handed{report: &gateway.StatusReport{
		Channel: c.ID, SIM: c.SIMKey(), MR: d.MR, Recipient: gateway.Address(d.Recipient),
		SentAt: d.SentAt, DischargedAt: d.DischargedAt, ST: d.ST,
	}}
}

// keepHanded takes over what the modem keeps no copy of.
func (r *run) keepHanded(h handed) {
	switch ok, lost := r.backlog.put(h); {
	case ok:
	case lost == 1:
		r.o.Alarm("delivery reports are lost: the disk has taken none for long")
	default:
		r.log.Error("lost what the network said: the disk has taken nothing for long", slog.Int("count", lost))
	}
}

// storeHanded puts the backlog on disk until the run ends.
func (r *run) storeHanded() {
	first := r.o.Every.Store
	pause := first
	for {
		h, ok := r.backlog.first()
		if !ok {
			select {
			case <-r.backlog.more:
				continue
			case <-r.ctx.Done():
				return
			}
		}
		err := h.store(r.ctx, r.host)
		switch {
		case err == nil:
			r.backlog.drop()
			pause = first
			continue
		case r.ctx.Err() != nil:
			return
		case gateway.KindOf(err) == gateway.KindInvalid: // it never can be stored, and would stand before all others
			r.log.Error("what the network said cannot be stored", slog.Any("error", err))
			r.backlog.drop()
			continue
		case pause == first:
			r.log.Warn("what the network said waits for the disk", slog.Any("error", err))
		}
		if !wait(r.ctx, pause) {
			return
		}
		pause = min(2*pause, storeRest*first)
	}
}

// settleHanded gives the backlog a moment at the end of a run.
func (r *run) settleHanded() {
	t := time.NewTimer(storeGrace)
	defer t.Stop()
	select {
	case <-r.backlog.emptied():
	case <-t.C: // the next run goes on
	}
}
