package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

func TestP67LongTextWithEmojiArrivesWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{modems: 2})
	h.started("alerts")
	text := strings.Repeat("¡Atención! 🙂🇺🇾 año nuevo ", 8) // the pairs fall on each cut
	a := h.submit(client.NewMessage{To: "098344484", Text: text, Campaign: "alerts"})
	if a.Segments < 3 {
		t.Fatalf("it takes %d segments", a.Segments)
	}
	m := h.becomes(a.ID, "sent")
	if len(m.Parts) != a.Segments {
		t.Errorf("it has the parts %+v", m.Parts)
	}
	got := h.bank.Network.Messages()
	if len(got) != 1 || got[0].Text != text || got[0].To != "+59898344484" || len(got[0].Segments) != a.Segments {
		t.Errorf("at the handset: %+v", got)
	}
}

func TestDeliveryReportsMakeRowsDeliveredOrUndelivered(t *testing.T) {
	t.Parallel()
	for st, want := range map[uint8]string{0x00: "delivered", 0x46: "undelivered"} { // TS 23.040 §9.2.3.15
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, setup{modems: 2, provider: "report = true", sim: sim.BankOptions{Network: sim.NetworkOptions{Reports: sim.Reports{Status: st}}}})
			h.started("test1")
			h.base("test1", numbered("test1", 20)+"test1;099999999;\""+strings.Repeat("long ", 60)+"\";9999\n")
			eventually(t, "every row is "+want, func() bool { return h.counters("test1").ByStatus[want] == 21 })
			if c := h.counters("test1"); c.Processed != 21 {
				t.Errorf("the counters are %+v", c)
			}
		})
	}
}

func TestLostAnswerIsInDoubtUntilItsReportComes(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{
		provider: "report = true",
		sim: sim.BankOptions{
			Network: sim.NetworkOptions{Reports: sim.Reports{Loss: 1}}, // the one below is the only one
			Faults:  []sim.Fault{{At: 1, Do: sim.VanishAfter}},
		},
	})
	h.started("alerts")
	a := h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts"})
	h.becomes(a.ID, "unknown")
	modem := h.bank.Modems[0]
	must(t, modem.Replug())
	h.ready(1)
	must(t, h.bank.Network.DeliverTPDU(modem.Card().ICCID(), delivered(h.bank.Network.Entries()[0].MR, time.Now())))
	m := h.becomes(a.ID, "delivered")
	if n := h.bank.Network.Len(); n != 1 || m.Attempts != 1 {
		t.Errorf("it is %d times on the air, and was tried %d times", n, m.Attempts)
	}
}

// delivered is an SMS-STATUS-REPORT for +59898344484 (TS 23.040 §9.2.2.3), behind
// an SMSC of no length.
func delivered(mr uint8, at time.Time) []byte {
	stamp := make([]byte, 7) // TP-SCTS: semi-octets, the low one first (§9.2.3.11); in UTC
	for i, c := range []byte(at.UTC().Format("060102150405")) {
		stamp[i/2] |= (c - '0') << (4 * (i % 2))
	}
	pdu := []byte{0x00, 0x06, mr, 11, 0x91, 0x95, 0x98, 0x38, 0x44, 0x84, 0xF4}
	return append(slices.Concat(pdu, stamp, stamp), 0x00)
}

func TestInboundLongMessageIsJoinedInTheSpoolAndLeavesTheCard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.ready(1)
	card := h.bank.Modems[0].Card()
	text := strings.Repeat("Quisiera cambiar mi turno. ", 12)
	must(t, h.bank.Network.Deliver(sim.Incoming{From: "+59891111111", To: card.ICCID(), Text: text, Ref: 77, Order: []int{3, 1, 2, 2}}))
	must(t, h.bank.Network.Deliver(sim.Incoming{From: "BANCO", To: card.ICCID(), Text: "Your code is 1234"}))
	eventually(t, "the card is empty and both came", func() bool {
		return card.Stored() == 0 && h.bank.Network.Waiting(card.ICCID()) == 0 && len(h.inbound(t)) == 2
	})
	got := h.inbound(t)
	slices.Reverse(got)
	if got[0].From != "+59891111111" || got[0].Text != text || got[0].Incomplete || got[0].Segments != 3 || got[0].Channel != "bank/0" {
		t.Errorf("the long one: %+v", got[0])
	}
	if got[1].Typed != "BANCO" || got[1].Text != "Your code is 1234" {
		t.Errorf("the short one: %+v", got[1])
	}
}

// inbound gives what came in so far, newest first.
func (h *house) inbound(t *testing.T) []gateway.Inbound {
	t.Helper()
	list, _, err := h.app.spool.ListInbound("", 100)
	must(t, err)
	return list
}

func TestUSSDOverTheAPI(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sim: sim.BankOptions{Network: sim.NetworkOptions{USSD: map[string]sim.USSD{"*100#": {Text: "Saldo: $ 10,00"}}}}})
	h.ready(1)
	got, err := h.USSD(t.Context(), "bank/0", "*100#")
	must(t, err)
	if got.Text != "Saldo: $ 10,00" {
		t.Errorf("the network says %q", got.Text)
	}
	if _, err := h.USSD(t.Context(), "bank/0", "hello"); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("no code: %v", err)
	}
	if _, err := h.USSD(t.Context(), "bank/9", "*100#"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("no channel: %v", err)
	}
}

func TestEventsTellOfChannelsMessagesAndUploadsInOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("test1")
	h.base("test1", numbered("test1", 3))
	h.processed("test1")
	seen := map[string]int{}
	last := uint64(0)
	for e, err := range h.Events(t.Context(), 0) {
		must(t, err)
		if e.Seq != last+1 {
			t.Fatalf("event %d follows %d", e.Seq, last)
		}
		last = e.Seq
		seen[e.Kind]++
		if seen[gateway.EventChannel] > 0 && strings.Contains(string(e.Body), `"sent"`) {
			break
		}
	}
}
