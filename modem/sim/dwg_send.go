package sim

import (
	"context"
	"time"

	"fieldpost/gateway/gsm7"
	"fieldpost/modem/internal/dwgwire"
)

// submit takes a send and serves it aside.
func (g *DWG) submit(power context.Context, f dwgwire.Frame) {
	s, err := dwgwire.DecodeSubmit(f.Body)
	if err != nil || len(s.Numbers) != 1 || int(s.Port) >= len(g.ports) {
		g.say(dwgwire.Answer(f.ID, f.Type, 1))
		return
	}
	p := g.ports[s.Port]
	fault := g.meet(p)
	switch fault.Do {
	case DWGSilence:
		return
	case DWGNack:
		g.say(dwgwire.Answer(f.ID, f.Type, max(fault.Code, 1)))
		return
	}
	g.say(dwgwire.Answer(f.ID, f.Type, 0))
	g.wg.Go(func() { g.transmit(power, p, &s, &fault) })
}

// transmit puts a message on the air as its fault lets it, and tells the result.
func (g *DWG) transmit(power context.Context, p *dwgPort, s *dwgwire.Submit, f *DWGFault) {
	if f.Hit != nil {
		close(f.Hit)
	}
	segments := dwgSegments(s)
	r := dwgwire.Result{Numbers: s.Numbers, Port: s.Port, Slices: uint8(len(segments))}
	switch f.Do {
	case DWGDrop:
		g.Drop()
		return
	case DWGResult:
		r.Code = dwgwire.Code(f.Code)
		g.tell(power, &r, f)
		return
	case DWGStall:
		if !f.wait(power) {
			return
		}
	case DWGPartial:
		segments, r.Code = segments[:1], dwgwire.CodePartial
	}
	if g.status(p) != dwgwire.Works {
		r.Code = dwgwire.CodeUnavailable
		g.tell(power, &r, f)
		return
	}
	sent, ok := g.radio(power, p, s, segments, int(r.Slices))
	if !ok {
		return
	}
	r.Succeeded = uint8(sent)
	switch f.Do {
	case DWGLose:
		return
	case DWGSent:
		g.Drop()
		return
	case DWGLate:
		if !f.wait(power) {
			return
		}
	}
	g.tell(power, &r, f)
}

func (g *DWG) status(p *dwgPort) dwgwire.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return p.status
}

// wait waits for the end of a fault; false = the power went.
func (f *DWGFault) wait(power context.Context) bool {
	var over <-chan time.Time
	if f.Until == nil {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-f.Until:
		return true
	case <-over:
		return true
	case <-power.Done():
		return false
	}
}

// radio puts segments on the air, one after the other; false = the power went.
func (g *DWG) radio(power context.Context, p *dwgPort, s *dwgwire.Submit, segments []gsm7.Segment, total int) (sent int, ok bool) {
	p.radio.Lock()
	defer p.radio.Unlock()
	ref := uint16(p.card.nextSend())
	for i := range segments {
		if g.o.Latency > 0 {
			timer := time.NewTimer(g.o.Latency)
			select {
			case <-timer.C:
			case <-power.Done():
				timer.Stop()
				return sent, false
			}
		}
		if power.Err() != nil {
			return sent, false
		}
		e := Entry{
			At: g.net.o.Now(), Modem: "dwg", SIM: p.card.ICCID(), MR: p.card.takeMR(), To: s.Numbers[0],
			Text: segments[i].Text, Total: total, Seq: i + 1, Radio: g.o.Latency,
			septets: segments[i].Septets, octets: segments[i].Octets(),
		}
		if e.septets == nil {
			e.DCS = 0x08
		}
		if total > 1 {
			e.Ref = ref
		}
		g.net.relay(&e, p.card.Number())
		g.net.Submit(e, nil)
		sent++
	}
	return sent, true
}

// dwgSegments cuts a content as the gateway does.
func dwgSegments(s *dwgwire.Submit) []gsm7.Segment {
	if s.Encoding == dwgwire.ASCII {
		if segments, err := gsm7.Cut(string(s.Content)); err == nil {
			return segments
		}
	}
	const single, each = 140, 134 // octets (TS 23.040 §9.2.3.24)
	octets := s.Content
	var segments []gsm7.Segment
	for len(octets) > 0 || segments == nil {
		n := len(octets)
		if len(s.Content) > single {
			n = min(n, each)
		}
		if n < len(octets) && octets[n-2]&0xFC == 0xD8 { // a surrogate pair stays whole
			n -= 2
		}
		segments = append(segments, gsm7.Segment{Text: gsm7.DecodeUCS2(octets[:n])})
		octets = octets[n:]
	}
	for i := range segments {
		segments[i].Units = []uint16{} // not GSM7
	}
	return segments
}

// tell gives a result, now or when somebody is connected again.
func (g *DWG) tell(power context.Context, r *dwgwire.Result, f *DWGFault) {
	body, err := r.Encode()
	if err != nil {
		return
	}
	frame := g.frame(dwgwire.SendResult, body)
	times := 1
	if f.Do == DWGTwice {
		times = 2
	}
	for range times {
		if !g.say(frame) {
			g.mu.Lock()
			if power.Err() == nil {
				g.outbox = append(g.outbox, frame)
			}
			g.mu.Unlock()
		}
	}
	if f.Said != nil {
		close(f.Said)
	}
}
