package dialer

import (
	"log/slog"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// openStep writes a flight's intent, with the slot's outcome where one waits.
func (d *Dialer) openStep(s *slot, f *flight) {
	f.charge, f.sim = 1, s.sim
	if f.segment == 0 {
		f.charge = segments(&f.m)
	}
	f.fresh = d.fresh(s, f.lane.def.limits(s.sim.key), f.m.To)
	in := spool.Intent{
		IDM: f.m.IDM, Segment: f.segment, UserID: <-d.ids, Provider: s.provider, Channel: s.id,
		IMEI: s.ch.IMEI, SIM: s.sim.key, Attempt: f.attempt, Port: s.port, Charge: f.charge,
		Limits: f.lane.def.limits(s.sim.key), Report: f.lane.def.Report, Exempt: f.lane.def.Exempt, At: d.now,
	}
	if f.ring {
		in.Dialer = f.lane.def.Name
	}
	s.intent[0], s.next = in, f
	s.sim.add(f.charge, f.fresh)
	d.write(s)
}

// write commits the slot's outcome and intent, as far as it has them.
func (d *Dialer) write(s *slot) {
	var st spool.Step
	if s.hasOutcome {
		st.Outcomes = s.outcome[:]
	}
	if s.next != nil {
		st.Intents = s.intent[:]
	}
	s.state = slotWriting
	d.o.Queue.Step(st, s.stepDone)
}

// writeOutcomes commits the outcomes that found no company.
func (d *Dialer) writeOutcomes() {
	for _, s := range d.row {
		switch {
		case s.state == slotDone && d.store.holds(d):
			s.state = slotUnsaved
		case s.state == slotDone, s.state == slotUnsaved && !d.store.holds(d):
			d.write(s)
		}
	}
}

// stepped takes in the answer to a slot's step.
func (d *Dialer) stepped(s *slot, st spool.Stepped) {
	if st.Err != nil {
		d.stepFailed(s, st.Err)
		return
	}
	d.store.worked()
	s.hasOutcome = false
	if f := s.closing; f != nil {
		s.closing = nil
		d.settle(f)
	}
	f := s.next
	s.next = nil
	switch {
	case f == nil:
		d.idle(s)
	case slices.Contains(st.Gone, f.m.IDM):
		d.undo(s, f)
		d.idle(s)
	default:
		f.lane.turned(f, s, true)
		d.start(s, f)
	}
}

// idle frees a slot, or forgets one that the bank forgot.
func (d *Dialer) idle(s *slot) {
	s.state = slotIdle
	if s.absent {
		delete(d.slots, s.id)
		d.lineUp()
		d.tidySIMs()
	}
	d.moved = d.moved || d.waiting(s)
}

// waiting says that some lane passed over rows that may want this channel.
func (d *Dialer) waiting(s *slot) bool {
	return slices.ContainsFunc(d.order, func(l *lane) bool { return len(l.stuck) > 0 && l.def.Provider == s.provider })
}

// turned notes whether a turn of the ring came to an intent on disk. When the last
// one that is tried has not, the ring goes on from the last one that has, as it would
// after a restart.
func (l *lane) turned(f *flight, s *slot, done bool) {
	if !f.ring {
		return
	}
	f.ring = false // a later segment is no turn
	l.trying--
	if done && f.turn > l.proven.n {
		l.proven = turn{f.turn, s.port}
	}
	if !done && l.trying == 0 {
		l.cursor = l.proven.port
		l.at = l.place()
	}
}

// start sends what is on disk now.
func (d *Dialer) start(s *slot, f *flight) {
	s.state, s.flying = slotSending, f
	var late time.Duration
	if f.startAt.IsZero() { // a first segment; the others follow without a gap
		f.startAt = d.launchTime(f.lane)
		late = f.startAt.Sub(d.mono)
	}
	d.senders.Add(1)
	go d.send(s, f.submission(s.intent[0].UserID, d.now), late)
}

// settle lets go of a message whose last outcome is on disk.
func (d *Dialer) settle(f *flight) {
	f.lane.flying--
	if f.given { // it may have been read anew meanwhile, without the refund
		f.sim.loaded, d.placed = false, d.placed || f.fresh
	}
	h := d.numbers[f.m.To]
	if h == nil || h.idm != f.m.IDM {
		return
	}
	if h.waited {
		d.moved = true
	}
	if !f.again {
		delete(d.numbers, f.m.To)
		return
	}
	h.flying, h.waited, h.until = false, false, f.retryAt
	f.lane.stale = true
	d.tidyNumbers()
}

// maxHolds bounds the numbers that are remembered between two tries. Past it, the
// order of messages to one number is not kept for the rest.
const maxHolds = 10000

// tidyNumbers forgets holds that have ended when there are many.
func (d *Dialer) tidyNumbers() {
	if len(d.numbers) < maxHolds {
		return
	}
	for to, h := range d.numbers {
		if !h.flying {
			delete(d.numbers, to)
		}
	}
}

// undo takes back a launch that came to nothing: the row left the queue, or the
// intent could not be written.
func (d *Dialer) undo(s *slot, f *flight) {
	f.refund()
	f.lane.turned(f, s, false)
	f.lane.stale = true
	d.settle(f)
}

// refusedIntents is how many intents in a row the store may refuse a channel: by then
// it is not the rows, but what the store holds of its SIM.
const refusedIntents = 3

// doubt lets a channel rest whose intents the store refuses one after the other:
// it would put off row after row that other channels can send.
func (d *Dialer) doubt(s *slot, err error) {
	r := rule{rest: time.Minute, after: refusedIntents}
	s.faults++
	if rest := r.restFor(s.faults, 0); rest > 0 {
		d.rest(s, rest, "the store refuses what it is to send: "+reason(err))
	}
}

// stepFailed takes back the intent and keeps the outcome until it can be written.
func (d *Dialer) stepFailed(s *slot, err error) {
	alone := s.next == nil
	if f := s.next; f != nil {
		s.next = nil
		if s.hasOutcome && s.closing == nil { // a later segment of the same message
			f.refund()
			f.again, s.closing = true, f
		} else {
			d.undo(s, f)
			if gateway.KindOf(err) != gateway.KindUnavailable {
				d.numbers[f.m.To] = &hold{idm: 0, until: d.now.Add(stuckWait)} // the row itself may be at fault
				d.doubt(s, err)
			}
		}
	}
	if !d.storeDown(err) {
		d.o.Logger.Error("the store refused a step", slog.String("channel", s.id), slog.Any("error", err))
	}
	switch {
	case !s.hasOutcome:
		d.idle(s)
	case alone && gateway.KindOf(err) != gateway.KindUnavailable:
		// The store refuses this outcome for ever: its row stays open on disk and will
		// be in doubt at the next start. The channel goes on.
		d.o.Logger.Error("outcome refused by the store", slog.String("channel", s.id),
			slog.Uint64("message", s.outcome[0].IDM), slog.Any("error", err))
		s.hasOutcome = false
		if f := s.closing; f != nil {
			s.closing = nil
			d.settle(f)
		}
		d.idle(s)
	default:
		s.state = slotUnsaved
	}
}
