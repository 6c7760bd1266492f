package sim

import "fieldpost/modem/internal/dwgwire"

// ussd answers a USSD request as the network does.
func (g *DWG) ussd(f dwgwire.Frame) {
	u, err := dwgwire.DecodeUSSDRequest(f.Body)
	if err != nil || int(u.Port) >= len(g.ports) {
		g.say(dwgwire.Answer(f.ID, f.Type, 1))
		return
	}
	g.say(dwgwire.Answer(f.ID, f.Type, 0))
	a, speaks := g.dialogue(g.ports[u.Port], &u)
	if !speaks {
		return
	}
	if body, err := a.Encode(); err == nil {
		g.say(g.frame(dwgwire.USSDReply, body))
	}
}

// dialogue takes one step; false = the network has nothing to say.
func (g *DWG) dialogue(p *dwgPort, u *dwgwire.USSDRequest) (dwgwire.USSDAnswer, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := dwgwire.USSDAnswer{Port: u.Port}
	if u.Kind == dwgwire.USSDEnd {
		p.talk = nil
		return a, false
	}
	next, known := g.net.o.USSD[u.Code]
	if p.talk != nil {
		next, known = p.talk.Next[u.Code]
	}
	p.talk = nil
	switch {
	case !known:
		a.Status = dwgwire.USSDUnsupported
	case len(next.Next) > 0:
		p.talk = &next
		a.Status, a.Text = dwgwire.USSDMore, next.Text
	default:
		a.Text = next.Text
	}
	return a, true
}
