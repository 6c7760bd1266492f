package modemtest

import (
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

func inboundCases() []oneCase {
	return []oneCase{
		{name: "an inbound message comes as it was sent", run: inboundSingle},
		{name: "an inbound message that was there before comes too", cold: true, run: inboundBefore},
		{name: "an inbound long text comes part by part, whatever the order and however often", run: inboundLong},
		{name: "an inbound message stays at the device until it is stored, and is fetched again", run: inboundKept},
		{name: "an inbound message that is fetched again after it was stored is the same one", run: inboundAgain},
		{name: "two inbound messages with one text are two", run: inboundAlike},
		{name: "inbound messages come while the device sends", run: inboundMeanwhile},
	}
}

func inboundSingle(b *bench) {
	b.ready()
	at := time.Date(2026, 11, 22, 14, 45, 1, 0, time.FixedZone("", -3*3600))
	for i, in := range []sim.Incoming{
		{From: someone, Text: "Hola", At: at},
		{From: "12345", Text: "5 € {ext}", At: at},
		{From: "Bank", Text: "Saldo: ñandú – 🚀", At: at},
	} {
		b.deliver(in)
		p := b.parts(i + 1)[i]
		if got := textOf(p); got != in.Text || p.From != in.From || !p.SentAt.Equal(at) {
			b.Errorf("came %q from %q of %v, want %q from %q of %v", got, p.From, p.SentAt, in.Text, in.From, at)
		}
		if p.Total > 1 || p.Raw == "" || p.Undecoded != "" || p.Port != b.rig.Port {
			b.Errorf("total %d, raw %q, undecoded %q, port %d", p.Total, p.Raw, p.Undecoded, p.Port)
		}
		if b.rig.ICCID != "" && p.ICCID != b.rig.ICCID {
			b.Errorf("the part names the card %q, it is %q", p.ICCID, b.rig.ICCID)
		}
	}
	b.dropped()
}

func inboundBefore(b *bench) {
	if b.rig.Stored == nil {
		b.Skip("the device keeps no messages")
	}
	b.deliver(sim.Incoming{From: someone, Text: "early bird"})
	b.start()
	if got := textOf(b.parts(1)[0]); got != "early bird" {
		b.Errorf("came %q", got)
	}
	b.dropped()
}

func inboundLong(b *bench) {
	b.ready()
	text := strings.Repeat("Una cosa larga: ñandú y 🚀. ", 8)
	for _, wide := range []bool{false, true} {
		before := len(b.host.inbound())
		in := sim.Incoming{From: someone, Text: text, Ref: 0xA7, Wide: wide, Order: []int{3, 1, 1, 4, 2}}
		if wide {
			in.Ref = 0xBEEF
		}
		b.deliver(in)
		if b.rig.Joins {
			if got := textOf(b.parts(before + 1)[before]); got != text {
				b.Errorf("came %q, want %q", got, text)
			}
			continue
		}
		parts := b.parts(before + len(in.Order))[before:]
		seen := map[int]string{}
		for _, p := range parts {
			if p.Total != 4 || p.Ref != in.Ref || p.Wide != wide {
				b.Errorf("a part says %d of %d, reference %#x, wide %t; want 4, %#x, %t", p.Seq, p.Total, p.Ref, p.Wide, in.Ref, wide)
			}
			seen[p.Seq] = textOf(p)
		}
		if got := seen[1] + seen[2] + seen[3] + seen[4]; got != text {
			b.Errorf("the parts join to %q, want %q", got, text)
		}
	}
	b.dropped()
}

func inboundKept(b *bench) {
	if b.rig.Stored == nil {
		b.Skip("the device keeps no messages")
	}
	b.ready()
	b.host.change(func() { b.host.refuse = 2 })
	b.deliver(sim.Incoming{From: someone, Text: "keep me"})
	if got := textOf(b.parts(1)[0]); got != "keep me" {
		b.Errorf("came %q", got)
	}
	b.host.mu.Lock()
	refused := b.host.refused
	b.host.mu.Unlock()
	if refused != 2 {
		b.Errorf("the host was asked %d times before it stored, want 2", refused)
	}
	b.dropped()
}

// inboundAgain is a box that dies between the commit of a message and the word to the
// device that it is safe: the host knows a message that comes again by what it is.
func inboundAgain(b *bench) {
	if b.rig.Stored == nil {
		b.Skip("the device keeps no messages")
	}
	b.ready()
	b.host.change(func() { b.host.dies = 1 })
	b.deliver(sim.Incoming{From: someone, Text: "once and for all"})
	b.parts(1)
	_ = b.stop() // other cases look at it
	b.start()
	parts := b.parts(2)
	if one, two := identityOf(parts[0]), identityOf(parts[1]); one != two {
		b.Errorf("the message came as %s, and again as %s: it would be two", one, two)
	}
}

func inboundAlike(b *bench) {
	b.ready()
	at := time.Date(2026, 11, 22, 14, 45, 1, 0, time.FixedZone("", -3*3600))
	for i := range 2 {
		b.deliver(sim.Incoming{From: someone, Text: "Position: 34.9 S", At: at.Add(time.Duration(i) * time.Second)})
	}
	parts := b.parts(2)
	if one, two := identityOf(parts[0]), identityOf(parts[1]); one == two {
		b.Errorf("two messages both came as %s: one of them would be dropped", one)
	}
	b.dropped()
}

// identityOf is what names a part to the spool.
func identityOf(p modem.Part) string {
	return fmt.Sprintf("%s at %s, %d/%d of %d, %t, %q", p.From, p.SentAt.UTC(), p.Seq, p.Total, p.Ref, p.Wide, p.Raw)
}

func inboundMeanwhile(b *bench) {
	b.ready()
	const n = 10
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if err := b.rig.Network.Deliver(sim.Incoming{From: someone, To: b.rig.SIM, Text: fmt.Sprintf("in %d", i)}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range n {
		b.goesOut(fmt.Sprintf("out %d", i))
	}
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	came := map[string]bool{}
	for _, p := range b.parts(n) {
		came[textOf(p)] = true
	}
	for i := range n {
		if !came[fmt.Sprintf("in %d", i)] {
			b.Errorf("in %d did not come", i)
		}
	}
	b.dropped()
}

func (b *bench) deliver(in sim.Incoming) {
	b.Helper()
	in.To = b.rig.SIM
	if err := b.rig.Network.Deliver(in); err != nil {
		b.Fatal(err)
	}
}

// parts waits for so many stored parts.
func (b *bench) parts(n int) []modem.Part {
	b.Helper()
	b.until(fmt.Sprintf("%d inbound parts", n), func(h *host) bool { return len(h.parts) >= n })
	return b.host.inbound()
}

// dropped demands that the device dropped nothing before it was stored.
func (b *bench) dropped() {
	b.Helper()
	b.host.mu.Lock()
	defer b.host.mu.Unlock()
	if b.host.early > 0 {
		b.Errorf("%d messages were no longer at the device when they were handed over to be stored", b.host.early)
	}
}

// textOf decodes a part as the spool does.
func textOf(p modem.Part) string {
	switch {
	case p.Text != "":
		return p.Text
	case p.Coding == modem.CodingUCS2:
		return gsm7.DecodeUCS2(p.Octets)
	}
	return gsm7.DecodeSeptets(p.Septets)
}
