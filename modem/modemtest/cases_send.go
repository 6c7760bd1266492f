package modemtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

const someone = "+59899123456"

func sendCases() []oneCase {
	return []oneCase{
		{name: "accepted means on the air once, with the TP-MR that the network has", run: accepts},
		{name: "every text arrives as it was", run: textsArrive},
		{name: "a long text joins at the handset under one reference", run: longJoins},
		{name: "a short code stays a short code", run: shortCode},
		{name: "a delivery report is asked for when it is wanted, and only then", needs: []Act{TellDelivery}, run: asksForReports},
		{name: "flash is class 0, in both encodings", needs: []Act{CarryFlash}, run: flash},
	}
}

func accepts(b *bench) {
	for i := range 3 {
		b.goesOut(fmt.Sprintf("message %d", i))
	}
}

func textsArrive(b *bench) {
	for _, text := range []string{
		"Hola",
		"@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ§¿äöñüà",
		"[extension] {characters} ~ 5 € ^ | \\",
		"two\nlines",
		"Acción: ¿mañana? ñandú – “sí”",
		"שלום, Привет, 你好",
		"👍🏽 emoji 👨‍👩‍👧 at the end 🚀",
		strings.Repeat("x", 160),
		strings.Repeat("€", 80),
		strings.Repeat("ж", 70),
		strings.Repeat("🚀", 35),
		"1234567@", // its last septets look like padding
		"x@",
	} {
		b.goesOut(text)
	}
}

func longJoins(b *bench) {
	for _, text := range []string{
		strings.Repeat("Seven bits, and 5 € or so. ", 20),
		strings.Repeat("Dieciséis bits, ñandú 🚀! ", 12),
	} {
		var last modem.Receipt
		for _, s := range b.all(someone, text) {
			last = b.accepted(s)
		}
		b.onAir(text, 1)
		b.sameMR(last, text)
	}
	b.noStrays()
}

func shortCode(b *bench) {
	b.accepted(b.one("12345", "JOIN"))
	if n := b.rig.Network.Copies()[sim.Copy{To: "12345", Text: "JOIN"}]; n != 1 {
		b.Errorf("%d copies to 12345 on the air, want 1: %v", n, b.rig.Network.Copies())
	}
}

func asksForReports(b *bench) {
	for _, want := range []bool{true, false} {
		s := b.one(someone, fmt.Sprintf("report %t", want))
		s.Report = want
		b.accepted(s)
		if got := b.newest().Report; got != want {
			b.Errorf("TP-SRR is %t on the air, want %t", got, want)
		}
	}
}

func flash(b *bench) {
	for _, text := range []string{"look", "мир"} {
		s := b.one(someone, text)
		s.Flash = true
		b.accepted(s)
		if e := b.newest(); !e.Flash() || e.Text != text {
			b.Errorf("%q went out with DCS %#02x, which is not class 0", e.Text, e.DCS)
		}
	}
	b.accepted(b.one(someone, "no flash"))
	if e := b.newest(); e.Flash() {
		b.Errorf("an ordinary message went out with DCS %#02x, class 0", e.DCS)
	}
}

// onAir demands so many complete copies of a text to someone.
func (b *bench) onAir(text string, want int) {
	b.Helper()
	if got := b.rig.Network.Copies()[sim.Copy{To: someone, Text: text}]; got != want {
		b.Fatalf("%d copies of %q on the air, want %d; the ledger has %s", got, text, want, b.ledger())
	}
}

// ledger shows what is on the air.
func (b *bench) ledger() string {
	var s strings.Builder
	for _, e := range b.rig.Network.Entries() {
		fmt.Fprintf(&s, "\n  %s %d/%d ref %d: %q", e.To, e.Seq, e.Total, e.Ref, e.Text)
	}
	return s.String()
}

func (b *bench) newest() sim.Entry {
	b.Helper()
	es := b.rig.Network.Entries()
	if len(es) == 0 {
		b.Fatal("the ledger is empty after an accepted send")
	}
	return es[len(es)-1]
}

// goesOut sends what must be accepted and go on the air once.
func (b *bench) goesOut(text string) {
	b.Helper()
	r := b.accepted(b.one(someone, text))
	b.onAir(text, 1)
	b.sameMR(r, text)
}

// sameMR demands that a receipt has the TP-MR of a text's last segment; that of its
// first one where the driver handed the text over whole.
func (b *bench) sameMR(r modem.Receipt, text string) {
	b.Helper()
	for _, m := range b.rig.Network.Messages() {
		e := m.Segments[len(m.Segments)-1]
		if b.rig.Driver.Limits().Whole {
			e = m.Segments[0]
		}
		if m.Text == text && r.HasMR && r.MR != e.MR {
			b.Fatalf("the receipt says TP-MR %d, on the air it was %d", r.MR, e.MR)
		}
	}
}

func (b *bench) noStrays() {
	b.Helper()
	if stray := b.rig.Network.Unpaired(); len(stray) > 0 {
		b.Errorf("%d segments on the air belong to no complete message:%s", len(stray), b.ledger())
	}
}

func outcomeCases() []oneCase {
	return []oneCase{
		{name: "a refusal for good is refused, and nothing else suffers", needs: []Act{RefuseNext}, run: refused},
		{name: "a refusal for now is throttled or unavailable, and the same message goes later", needs: []Act{ThrottleNext}, run: throttled},
		{name: "silence without a message on the air is unknown", needs: []Act{SwallowNext}, run: swallowed},
		{name: "silence with the message on the air is unknown", needs: []Act{LoseNext}, run: lost},
		{name: "A4b: a late answer is not taken for the next message's", needs: []Act{DelayNext, Release, RefuseNext}, run: late},
		{name: "a long text whose second segment was refused is completed, not repeated", needs: []Act{ThrottleNext}, run: partial},
		{name: "the device vanishes in mid-send: unknown, and it comes back", needs: []Act{HoldNext, AwaitHeld, Unplug, Plug}, run: vanishes},
		{name: "a context that ends in mid-send: Send returns and does not say accepted", needs: []Act{HoldNext, AwaitHeld, Release}, run: canceled},
		{name: "a context that ended before: nothing is accepted", run: canceledBefore},
	}
}

func refused(b *bench) {
	b.ready()
	b.do(RefuseNext)
	r := b.send(b.one(someone, "never"))
	if k := kind(r.err); k != gateway.KindRefused && k != gateway.KindInvalid {
		b.Fatalf("a refusal for good gives %s: %v", k, r.err)
	}
	b.onAir("never", 0)
	b.goesOut("after")
}

func throttled(b *bench) {
	b.ready()
	b.do(ThrottleNext)
	s := b.one(someone, "not now")
	ctx, cancel := b.context()
	defer cancel()
	r := b.try(ctx, s)
	if k := kind(r.err); k != gateway.KindThrottled && k != gateway.KindUnavailable {
		b.Fatalf("a refusal for now gives %s: %v", k, r.err)
	}
	b.onAir(s.Text, 0)
	b.accepted(s)
	b.onAir(s.Text, 1)
}

func swallowed(b *bench) { b.doubtful(SwallowNext, 0) }

func lost(b *bench) { b.doubtful(LoseNext, 1) }

// doubtful demands that an unanswered send is unknown, and the next one in order.
func (b *bench) doubtful(a Act, copies int) {
	b.Helper()
	b.ready()
	b.do(a)
	b.unanswered(b.send(b.one(someone, "in doubt")), copies)
	b.goesOut("after")
	b.onAir("in doubt", copies)
}

// unanswered demands that a send without an answer is unknown; or, where it is on the
// air and the driver can ask the device, that it is known.
func (b *bench) unanswered(r result, copies int) {
	b.Helper()
	if _, asks := b.rig.Driver.(modem.Reconciler); asks && copies > 0 && r.err == nil {
		return
	}
	if k := kind(r.err); k != gateway.KindUnknownOutcome {
		b.Fatalf("a send without an answer gives %s (%v), want unknown_outcome", k, r.err)
	}
}

func late(b *bench) {
	b.ready()
	b.do(DelayNext)
	b.unanswered(b.send(b.one(someone, "first")), 1)
	b.do(RefuseNext)
	b.do(Release)
	if r := b.send(b.one(someone, "second")); r.err == nil {
		b.Fatalf("a refused send was reported as accepted with TP-MR %d, the answer to the message before", r.receipt.MR)
	} else if k := kind(r.err); k != gateway.KindRefused && k != gateway.KindInvalid {
		b.Fatalf("a refused send behind a late answer gives %s: %v", k, r.err)
	}
	b.goesOut("third")
	b.onAir("first", 1)
	b.onAir("second", 0)
}

func partial(b *bench) {
	text := strings.Repeat("A text of three segments or so. ", 12)
	subs := b.all(someone, text)
	if len(subs) == 1 {
		b.ready()
		b.do(ThrottleNext)
		ctx, cancel := b.context()
		defer cancel()
		if r := b.try(ctx, subs[0]); kind(r.err) == gateway.KindNone {
			b.Fatal("a message whose hand-over was refused is accepted")
		}
		b.accepted(subs[0])
		b.onAir(text, 1)
		return
	}
	b.accepted(subs[0])
	b.do(ThrottleNext)
	ctx, cancel := b.context()
	defer cancel()
	if r := b.try(ctx, subs[1]); kind(r.err) != gateway.KindThrottled && kind(r.err) != gateway.KindUnavailable {
		b.Fatalf("a refusal for now gives %s: %v", kind(r.err), r.err)
	}
	for _, s := range subs[1:] {
		b.accepted(s)
	}
	b.onAir(text, 1)
	b.noStrays()
}

func vanishes(b *bench) {
	b.ready()
	b.do(HoldNext)
	ch := b.aside(context.Background(), b.one(someone, "torn"))
	b.do(AwaitHeld)
	b.do(Unplug)
	if r := b.result(ch); kind(r.err) != gateway.KindUnknownOutcome {
		b.Fatalf("a send whose device vanished gives %s (%v), want unknown_outcome", kind(r.err), r.err)
	}
	b.until("the channel is not ready while the device is away", func(h *host) bool {
		return h.channel.State != gateway.ChannelReady && h.channel.Reason != ""
	})
	b.do(Plug)
	b.goesOut("after")
}

func canceled(b *bench) {
	b.ready()
	b.do(HoldNext)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ch := b.aside(ctx, b.one(someone, "held"))
	b.do(AwaitHeld)
	cancel()
	r := b.result(ch)
	if kind(r.err) != gateway.KindUnknownOutcome {
		b.Fatalf("a send that was given up in mid-send gives %s (%v), want unknown_outcome", kind(r.err), r.err)
	}
	b.do(Release)
	b.goesOut("after")
	if n := b.rig.Network.Copies()[sim.Copy{To: someone, Text: "held"}]; n > 1 {
		b.Errorf("%d copies of a message that was sent once", n)
	}
}

func canceledBefore(b *bench) {
	b.ready()
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	r := b.try(ctx, b.one(someone, "too late"))
	if r.err == nil {
		b.Fatal("a send whose context had ended is accepted")
	}
	if k := kind(r.err); k != gateway.KindUnavailable {
		b.Fatalf("a send whose context had ended gives %s (%v), want unavailable: nothing went out", k, r.err)
	}
	b.onAir("too late", 0)
	b.goesOut("after")
}
