package sim

import (
	"context"
	"slices"
	"time"

	"fieldpost/gateway/gsm7"
	"fieldpost/modem/internal/dwgwire"
)

// dwgHolds is how many received messages a gateway keeps.
const dwgHolds = 1000

// dwgIn is a received message that nobody acknowledged yet.
type dwgIn struct {
	port    *dwgPort
	body    []byte
	serials []uint32  // of the frames that carried it
	last    time.Time // when the last of them went; zero = before this connection
}

// dwgThread is what the gateway joins parts by (TS 23.040 §9.2.3.24.1).
type dwgThread struct {
	port  int
	from  string
	ref   uint16
	wide  bool
	total int
}

// Stored gives how many received messages of a port nobody acknowledged yet.
func (g *DWG) Stored(port int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, in := range g.inbox {
		if in.port.index == port {
			n++
		}
	}
	return n
}

// receiver takes messages from the network for a port.
func (g *DWG) receiver(p *dwgPort) Receive {
	return func(pdu []byte, report bool) bool {
		if report {
			return true // the protocol has no word for it
		}
		d, err := ReadDeliver(pdu)
		if err != nil {
			return true // nothing that it could hand on
		}
		g.mu.Lock()
		if p.status != dwgwire.Works || g.plugged != nil || len(g.inbox) >= dwgHolds {
			g.mu.Unlock()
			return false
		}
		text, whole := g.join(p, &d)
		var in *dwgIn
		if whole {
			e, content := dwgwire.EncodeText(text)
			body, err := (&dwgwire.Deliver{From: d.From, Port: uint8(p.index), At: d.At, Encoding: e, Content: content}).Encode()
			if err == nil {
				in = &dwgIn{port: p, body: body}
				g.inbox = append(g.inbox, in)
			}
		}
		g.mu.Unlock()
		if in != nil {
			g.hand(in)
		}
		return true
	}
}

// join keeps a part, and gives the text when all are there. g.mu is held.
func (g *DWG) join(p *dwgPort, d *Delivered) (string, bool) {
	if d.Total <= 1 {
		return d.Text, true
	}
	k := dwgThread{p.index, d.From, d.Ref, d.Wide, d.Total}
	parts := g.threads[k]
	if parts == nil {
		parts = make([]*Delivered, d.Total)
		g.threads[k] = parts
	}
	if d.Seq >= 1 && d.Seq <= d.Total {
		parts[d.Seq-1] = d
	}
	if slices.Contains(parts, nil) {
		return "", false
	}
	delete(g.threads, k)
	var text string
	var septets []byte
	for _, x := range parts {
		if x.Septets != nil {
			septets = append(septets, x.Septets...)
			continue
		}
		text += x.Text
	}
	return text + gsm7.DecodeSeptets(septets), true
}

// hand sends a received message, under an id of its own each time.
func (g *DWG) hand(in *dwgIn) {
	f := g.frame(dwgwire.Received, in.body)
	g.mu.Lock()
	in.serials, in.last = append(in.serials, f.ID.Serial), time.Now()
	times := 1
	if g.dup {
		times = 2
	}
	g.mu.Unlock()
	for range times {
		g.say(f)
	}
}

// handAll sends every message that has not been acknowledged for a while.
func (g *DWG) handAll() {
	var waiting []*dwgIn
	g.mu.Lock()
	for _, in := range g.inbox {
		if time.Since(in.last) >= g.o.Resend {
			waiting = append(waiting, in)
		}
	}
	g.mu.Unlock()
	for _, in := range waiting {
		g.hand(in)
	}
}

// acknowledged forgets a message.
func (g *DWG) acknowledged(f dwgwire.Frame) {
	if len(f.Body) != 1 || f.Body[0] != 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inbox = slices.DeleteFunc(g.inbox, func(in *dwgIn) bool { return slices.Contains(in.serials, f.ID.Serial) })
}

// remind sends what is not acknowledged, and says that the gateway is alive.
func (g *DWG) remind(ctx context.Context) {
	again, alive := time.NewTicker(g.o.Resend), time.NewTicker(g.o.Alive)
	defer again.Stop()
	defer alive.Stop()
	for _, p := range g.ports {
		g.net.Flush(p.card.ICCID())
	}
	g.handAll()
	for {
		select {
		case <-again.C:
			g.handAll()
		case <-alive.C:
			g.say(g.frame(dwgwire.KeepAlive, nil))
		case <-ctx.Done():
			return
		}
	}
}
