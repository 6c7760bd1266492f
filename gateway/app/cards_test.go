package app

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem/sim"
)

// clockwork is the clock of a box, which a test moves on.
type clockwork struct{ ahead atomic.Int64 }

func (c *clockwork) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clockwork) move(on time.Duration) { c.ahead.Add(int64(on)) }

// quick looks at the cards all the time.
const quick = 20 * time.Millisecond

// sim reads the passport of a card.
func (h *house) sim(id string) client.SIM {
	h.t.Helper()
	c, err := h.SIM(h.t.Context(), id)
	must(h.t, err)
	return c
}

// alarmed waits until an alarm that says something is in the event stream.
func (h *house) alarmed(part string) {
	h.t.Helper()
	for e, err := range h.Events(h.t.Context(), 0) {
		must(h.t, err)
		var a gateway.AlarmEvent
		if e.Kind == gateway.EventAlarm && json.Unmarshal(e.Body, &a) == nil && strings.Contains(a.Reason, part) {
			return
		}
	}
}

// rows is a base of so many rows to numbers of its own.
func rows(campaign string, block, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s;098%d%05d;Row %d;9999\n", campaign, block, i, i)
	}
	return b.String()
}

// Pain C-7: a SIM that sends and never delivers leaves the ring with an alarm, the
// others go on, and a late report brings it back.
func TestASIMThatSendsAndNeverDeliversLeavesTheRing(t *testing.T) {
	t.Parallel()
	var clock clockwork
	h := buildHouse(t, setup{modems: 2, provider: "report = true", now: clock.now, tick: quick})
	barred := sim.NewNetwork(sim.NetworkOptions{})
	t.Cleanup(func() { must(t, barred.Close()) })
	third, err := sim.Open(sim.Options{Network: barred, Name: "port2", Link: h.bank.Device(2), Card: sim.NewCard(sim.CardOptions{
		ICCID: "8959807000000000099", IMSI: "748070000000099", Number: "+59898000099",
	})})
	must(t, err)
	h.bank.Modems = append(h.bank.Modems, third)
	h.start()
	h.ready(3)
	id := third.Card().ICCID()
	for port := range 3 { // each card gets a past of its own
		name := fmt.Sprint("only", port)
		h.started(name, func(d *client.Dialer) { d.DialString = fmt.Sprint(port) })
		h.base(name, rows(name, port, 25))
	}
	for port := range 3 {
		eventually(t, "the reports come", func() bool { return h.counters(fmt.Sprint("only", port)).ByStatus["delivered"] == 25 })
	}

	barred.SetReports(sim.Reports{Loss: 1})
	clock.move(time.Minute)
	h.base("only2", rows("only2", 3, 34))
	h.processed("only2")
	last := h.submit(client.NewMessage{To: "098344484", Text: "the last one", Campaign: "only2"})
	h.becomes(last.ID, "sent")
	mr := barred.Entries()[barred.Len()-1].MR
	if c := h.sim(id); c.Held != nil {
		t.Fatalf("it is held after a moment: %+v", c.Held)
	}
	clock.move(2 * time.Hour)
	eventually(t, "the card is held", func() bool { return h.sim(id).Held != nil })
	if c := h.sim(id); c.Held.Cause != "reports" || !strings.Contains(c.Held.Why, "none of the 35 segments") || c.Channel != "bank/2" {
		t.Errorf("it is held as %+v", c)
	}
	h.alarmed("SIM " + id + " in bank/2 is held and sends nothing: none of the 35 segments")
	if c := h.channel(2); c.State != "ready" || !strings.Contains(c.Held, "none of the 35 segments") {
		t.Errorf("its channel says %+v", c)
	}

	h.started("ring")
	h.base("ring", rows("ring", 4, 30))
	eventually(t, "the others carry everything", func() bool { return h.counters("ring").ByStatus["delivered"] == 30 })
	if n := barred.Len(); n != 25+35 {
		t.Errorf("the held card sent on: %d", n)
	}

	must(t, barred.DeliverTPDU(id, delivered(mr, clock.now())))
	eventually(t, "the late report brings it back", func() bool { return h.sim(id).Held == nil })
	h.becomes(last.ID, "delivered")
	h.base("only2", rows("only2", 5, 1))
	h.processed("only2")
}

// Pain 23: balances by the code and pattern of each operator, from 7-bit and UCS2
// answers, and an alarm for a low one.
func TestBalancesComeByUSSDInSevenBitsAndUCS2(t *testing.T) {
	t.Parallel()
	var clock clockwork
	h := buildHouse(t, setup{modems: 3, now: clock.now, tick: quick, sim: sim.BankOptions{
		Vendors: []sim.Vendor{sim.Huawei, sim.Quectel, sim.Generic},
		Network: sim.NetworkOptions{USSD: map[string]sim.USSD{
			"*222#": {Text: "Su saldo es $ 1.234,50. Vence 31/12/2030"},
			"*100#": {Text: "Баланс: 12,50 р."},
			"*111#": {Text: "Servicio no disponible"},
		}},
	}})
	var sections strings.Builder
	for i, code := range []string{"*222#", "*100#", "*111#"} {
		fmt.Fprintf(&sections, "[[operator]]\nname = \"op%d\"\n[operator.balance]\ncode = %q\npattern = '(?i)(?:saldo|баланс)[^0-9]*([0-9.,]+)'\nlow = 100\n", i, code)
		fmt.Fprintf(&sections, "[[sim]]\niccid = %q\noperator = \"op%d\"\nreset_day = 15\n", h.bank.Modems[i].Card().ICCID(), i)
	}
	h.o.sections = sections.String()
	h.start()
	h.ready(3)
	balance := func(i int) *client.SIMBalance { return h.sim(h.bank.Modems[i].Card().ICCID()).Balance }
	eventually(t, "every card has an answer", func() bool {
		clock.move(time.Minute)
		return balance(0) != nil && balance(1) != nil && balance(2) != nil
	})
	if b := balance(0); b.Amount == nil || *b.Amount != 1234.5 || b.Low {
		t.Errorf("in packed septets: %+v", b)
	}
	if b := balance(1); b.Amount == nil || *b.Amount != 12.5 || !b.Low {
		t.Errorf("in UCS2: %+v", b)
	}
	if b := balance(2); b.Amount != nil || b.Text != "Servicio no disponible" {
		t.Errorf("without an amount: %+v", b)
	}
	low := h.bank.Modems[1].Card().ICCID()
	h.alarmed("the balance of SIM " + low + " in bank/1 is 12.5, below 100")
	h.alarmed("the balance of SIM " + h.bank.Modems[2].Card().ICCID() + " cannot be read")
	c, err := h.SIMBalance(t.Context(), low)
	must(t, err)
	if c.Operator != "op1" || len(c.Balances) != 2 || *c.Balances[0].Amount != 12.5 {
		t.Errorf("asked by hand: %+v", c)
	}
	if got := h.call("GET", "/metrics", "", nil, "Authorization", "Bearer "+h.token).body; !strings.Contains(got, "fieldpost_sim_balance{channel=\"bank/0\"} 1234.5\n") ||
		!strings.Contains(got, "fieldpost_sim_held{channel=\"bank/1\"} 0\n") || strings.Contains(got, "fieldpost_sim_balance{channel=\"bank/2\"}") {
		t.Errorf("the metrics do not show it:\n%s", got)
	}
}

func TestAMessageGoesByTheSIMOfItsNumbersOperator(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{modems: 2, provider: "choice = \"same-operator\""})
	var sections strings.Builder
	for i, prefix := range []string{"+59898", "+59899"} {
		fmt.Fprintf(&sections, "[[operator]]\nname = \"op%d\"\nprefixes = %q\n", i, prefix)
		fmt.Fprintf(&sections, "[[sim]]\niccid = %q\noperator = \"op%d\"\n", h.bank.Modems[i].Card().ICCID(), i)
	}
	h.o.sections = sections.String()
	h.start()
	h.ready(2)
	h.started("ring")
	for i := range 6 {
		to := fmt.Sprintf("09%d34448%d", 8+i%2, i)
		m := h.becomes(h.submit(client.NewMessage{To: to, Text: "Hi", Campaign: "ring"}).ID, "sent")
		if want := fmt.Sprint("bank/", i%2); m.Channel != want {
			t.Errorf("%s went by %s, want %s", to, m.Channel, want)
		}
	}
}

func TestABillingMonthBeginsOnTheDayOfItsCard(t *testing.T) {
	reset := resetDays([]config.SIM{{ICCID: "8959001", ResetDay: 15}})
	if reset("8959001") != 15 || reset("8959002") != 1 {
		t.Errorf("they begin on the days %d and %d", reset("8959001"), reset("8959002"))
	}
}

// Pain 19: another card in a slot sends nothing until a person confirms it.
func TestASwappedCardWaitsForAPerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: "[sims]\non_swap = \"confirm\"\n"})
	h.ready(1)
	h.started("ring")
	h.becomes(h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "ring"}).ID, "sent")
	first := h.bank.Modems[0].Card()

	modem := h.bank.Modems[0]
	modem.Unplug()
	eventually(t, "the modem is gone", func() bool { return h.channel(0).State == "absent" })
	a := h.submit(client.NewMessage{To: "098344484", Text: "after the swap", Campaign: "ring"})
	modem.RemoveCard()
	modem.InsertCard(sim.NewCard(sim.CardOptions{ICCID: "8959807000000000777", IMSI: "748070000000777", Number: "+59898000777"}))
	must(t, modem.Replug())
	h.ready(1)
	eventually(t, "its passport says where it is", func() bool {
		page, err := h.SIMs(t.Context(), client.List{})
		must(t, err)
		return len(page.Items) == 2 && page.Items[1].Channel == "bank/0"
	})
	c := h.sim("8959807000000000777")
	if c.Held == nil || c.Held.Cause != "swap" || !strings.Contains(c.Held.Why, first.ICCID()) {
		t.Fatalf("the new card's passport says %+v", c)
	}
	x, err := h.Explain(t.Context(), a.ID)
	must(t, err)
	if said := strings.Join(x.Reasons, " "); !strings.Contains(said, "fieldpost sims confirm ") {
		t.Errorf("the message says %q", said)
	}
	if n := h.bank.Network.Len(); n != 1 {
		t.Fatalf("the new card sent: %d on the air", n)
	}
	site, err := h.Site(t.Context())
	must(t, err)
	if said := strings.Join(site.Reasons, " "); site.State != "degraded" || !strings.Contains(said, "its SIM is held: it took the slot of "+first.ICCID()) {
		t.Errorf("the site is %s: %s", site.State, said)
	}
	_, err = h.ConfirmSIM(t.Context(), c.ID)
	must(t, err)
	must(t, h.Ready(t.Context()))
	if m := h.becomes(a.ID, "sent"); m.ICCID != c.ID {
		t.Errorf("sent as %+v", m)
	}
	if old := h.sim(first.ICCID()); old.Channel != "" || old.Held != nil || len(old.Places) != 1 || filepath.Base(old.Places[0].Channel) != "0" {
		t.Errorf("the old card's passport says %+v", old)
	}
}

// Everything that speaks of channels says the same of a SIM that is held.
func TestAHeldSIMIsNamedByAllWhoAreAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.ready(1)
	h.started("ring")
	id := h.bank.Modems[0].Card().ICCID()
	must(t, second(h.HoldSIM(t.Context(), id, "it is lent to the shop")))
	a := h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "ring"})
	says := func(whose string, words []string) {
		if said := strings.Join(words, " "); !strings.Contains(said, "held: it is lent to the shop") {
			t.Errorf("%s says %q", whose, said)
		}
	}
	eventually(t, "the dialer knows of it", func() bool {
		d, err := h.Dialer(t.Context(), "ring")
		must(t, err)
		return len(d.Reasons) > 0 && strings.Contains(d.Reasons[0], "held")
	})
	d, err := h.Dialer(t.Context(), "ring")
	must(t, err)
	says("the dialer", d.Reasons)
	x, err := h.Explain(t.Context(), a.ID)
	must(t, err)
	says("the message", x.Reasons)
	s, err := h.Site(t.Context())
	must(t, err)
	says("the site", s.Reasons)
	must(t, second(h.ReleaseSIM(t.Context(), id)))
	h.becomes(a.ID, "sent")
	if s, err = h.Site(t.Context()); err != nil || s.State != siteReady {
		t.Errorf("the site is %s: %q (%v)", s.State, s.Reasons, err)
	}
}

func second[T any](_ T, err error) error { return err }
