package modemtest

import (
	"context"

	"fieldpost/gateway"
	"fieldpost/modem"
)

func lifeCases() []oneCase {
	return []oneCase{
		{name: "a ready channel says which card is in it", run: identity},
		{name: "Run returns nil when its context ends, and Send says unavailable", run: runReturns},
		{name: "Run can be called again", run: runAgain},
		{name: "a device that is away and comes back is found again", needs: []Act{Unplug, Plug}, run: replugged},
		{name: "a device that is not there at the start is found when it comes", needs: []Act{Unplug, Plug}, cold: true, run: absent},
		{name: "without network the channel is not ready, and says why", needs: []Act{LoseNetwork, FindNetwork}, run: noNetwork},
		{name: "without a SIM the channel is not ready, and says why", needs: []Act{RemoveSIM}, cold: true, run: notReady(RemoveSIM)},
		{name: "with a PIN that nobody gave the channel is not ready, and says why", needs: []Act{AskPIN}, cold: true, run: notReady(AskPIN)},
		{name: "with a PUK the channel is not ready, and says why", needs: []Act{AskPUK}, cold: true, run: notReady(AskPUK)},
	}
}

func identity(b *bench) {
	b.ready()
	c := b.host.present()
	if c.Port != b.rig.Port || c.ICCID != b.rig.ICCID || c.Reason != "" {
		b.Errorf("port %d, ICCID %q, reason %q; want %d, %q and none", c.Port, c.ICCID, c.Reason, b.rig.Port, b.rig.ICCID)
	}
}

func runReturns(b *bench) {
	b.ready()
	if err := b.stop(); err != nil {
		b.Errorf("Run gives %v when its context ends, want nil", err)
	}
	ctx, cancel := b.context()
	defer cancel()
	r := b.try(ctx, b.one(someone, "nobody there"))
	if k := kind(r.err); k != gateway.KindUnavailable {
		b.Errorf("Send without Run gives %s (%v), want unavailable", k, r.err)
	}
	b.onAir("nobody there", 0)
}

func runAgain(b *bench) {
	for i := range 3 {
		if i > 0 {
			b.start()
		}
		b.ready()
		b.goesOut(string(rune('a' + i)))
		if err := b.stop(); err != nil {
			b.Fatalf("Run gives %v when its context ends, want nil", err)
		}
	}
	if n := b.rig.Network.Len(); n != 3 {
		b.Errorf("%d segments on the air, want 3:%s", n, b.ledger())
	}
}

func replugged(b *bench) {
	b.ready()
	b.do(Unplug)
	b.until("the channel is not ready while the device is away", func(h *host) bool {
		return h.channel.State != gateway.ChannelReady && h.channel.Reason != ""
	})
	b.do(Plug)
	b.goesOut("back again")
}

func absent(b *bench) {
	b.do(Unplug)
	b.start()
	b.until("a reason why the channel is not ready", func(h *host) bool {
		return h.channel.State != gateway.ChannelReady && h.channel.Reason != ""
	})
	b.do(Plug)
	b.goesOut("here now")
}

func noNetwork(b *bench) {
	b.ready()
	b.do(LoseNetwork)
	b.until("a channel that is not ready for want of a network", func(h *host) bool {
		return h.channel.State != gateway.ChannelReady && h.channel.Reason != "" && !h.channel.Registration.Usable()
	})
	b.do(FindNetwork)
	b.ready()
	b.goesOut("on the air again")
}

// notReady demands that a channel says why it is not ready, and carries nothing.
func notReady(a Act) func(b *bench) {
	return func(b *bench) {
		b.do(a)
		b.start()
		b.until("a reason why the channel is not ready", func(h *host) bool {
			s := h.channel.State
			return (s == gateway.ChannelFault || s == gateway.ChannelStarting) && h.channel.Reason != ""
		})
		b.host.mu.Lock()
		refused := b.host.channel.State == gateway.ChannelReady
		b.host.mu.Unlock()
		if refused || b.rig.Network.Len() != 0 {
			b.Error("the channel is ready all the same")
		}
	}
}

func abilityCases() []oneCase {
	return []oneCase{
		{name: "USSD brings the network's answer", run: ussd},
		{name: "a reset is refused while a send is in doubt, and works afterwards", needs: []Act{HoldNext, AwaitHeld, Release}, run: reset},
		{name: "a device that is asked what became of a send does not deny it", needs: []Act{LoseNext}, run: reconcile},
	}
}

func ussd(b *bench) {
	u, can := b.rig.Driver.(modem.USSDer)
	if !can {
		b.Skip("the driver has no USSD")
	}
	b.ready()
	ctx, cancel := b.context()
	defer cancel()
	for range 2 {
		got, err := u.USSD(ctx, b.rig.Port, USSDCode)
		if err != nil || got != USSDText {
			b.Fatalf("%s gives %q, %v; want %q", USSDCode, got, err, USSDText)
		}
	}
	b.accepted(b.one(someone, "after"))
}

func reset(b *bench) {
	x, can := b.rig.Driver.(modem.Resetter)
	if !can {
		b.Skip("the driver cannot reset a port")
	}
	b.ready()
	b.do(HoldNext)
	ch := b.aside(context.Background(), b.one(someone, "held"))
	b.do(AwaitHeld)
	ctx, cancel := b.context()
	defer cancel()
	if err := x.Reset(ctx, b.rig.Port); err == nil {
		b.Error("the port was reset while a send was in doubt")
	}
	b.do(Release)
	if r := b.result(ch); r.err != nil {
		b.Fatalf("the send that was held gives %v", r.err)
	}
	if err := x.Reset(ctx, b.rig.Port); err != nil {
		b.Fatalf("reset: %v", err)
	}
	b.accepted(b.one(someone, "after"))
	b.onAir("held", 1)
	b.onAir("after", 1)
}

func reconcile(b *bench) {
	x, can := b.rig.Driver.(modem.Reconciler)
	if !can {
		b.Skip("the driver cannot ask its device")
	}
	b.ready()
	b.do(LoseNext)
	s := b.one(someone, "in doubt")
	b.unanswered(b.send(s), 1)
	ctx, cancel := b.context()
	defer cancel()
	if _, err := x.Reconcile(ctx, b.rig.Port, modem.Question{UserID: s.UserID, To: s.To}); err != nil && kind(err) != gateway.KindUnknownOutcome {
		b.Errorf("a message that is on the air is denied with %s: %v", kind(err), err)
	}
}
