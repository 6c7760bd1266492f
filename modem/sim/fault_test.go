package sim_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestDeeds(t *testing.T) {
	gate := make(chan struct{})
	close(gate)
	for _, c := range []struct {
		name  string
		fault sim.Fault
		want  string // what the modem says to the send and the AT behind it
		air   int
	}{
		{"refuse", sim.Fault{Do: sim.Refuse, Code: 50}, "\r\n> \r\n+CMS ERROR: 50\r\n" + ok(), 0},
		{"refuse soon", sim.Fault{Do: sim.RefuseSoon}, "\r\n+CMS ERROR: 38\r\n" + ok(), 0},
		{"no prompt", sim.Fault{Do: sim.NoPrompt}, ok(), 0},
		{"silence", sim.Fault{Do: sim.Silence}, "\r\n> " + ok(), 0},
		{"lose the answer", sim.Fault{Do: sim.LoseAnswer}, "\r\n> " + ok(), 1},
		{"late", sim.Fault{Do: sim.Late, Until: gate}, "\r\n> " + ok("+CMGS: 0") + ok(), 1},
		{"stall", sim.Fault{Do: sim.Stall, Delay: time.Millisecond}, "\r\n> " + ok("+CMGS: 0") + ok(), 1},
		{"noise", sim.Fault{Do: sim.Noise}, "\r\n> \xff\x00\x7f\xc3\xa9~~\x11\x13" + ok("+CMGS: 0") + ok(), 1},
		{"interleave", sim.Fault{Do: sim.Interleave}, "\r\n> " + ok("+CMGS: 0", "+CREG: 1") + ok(), 1},
		{"restart", sim.Fault{Do: sim.Restart}, "\r\n> AT\r" + ok(), 0}, // the echo is back
	} {
		t.Run(c.name, func(t *testing.T) {
			c.fault.At = 1
			b, x := one(t, sim.BankOptions{Faults: []sim.Fault{c.fault}})
			// The message is typed ahead of its prompt; where none comes it is noise before AT.
			x.write("AT+CMGS=17\r" + hola + "\x1a" + "AT\r")
			if got := x.until(c.want); got != c.want {
				t.Errorf("the modem says %q, want %q", got, c.want)
			}
			if n := b.Network.Len(); n != c.air {
				t.Errorf("%d on the air, want %d", n, c.air)
			}
		})
	}
}

func TestALateAnswerComesBesideTheNext(t *testing.T) {
	gate, hit := make(chan struct{}), make(chan struct{})
	b, x := one(t, sim.BankOptions{Faults: []sim.Fault{{At: 1, Do: sim.LateAside, Until: gate, Hit: hit}, {At: 2, Do: sim.LateRefusal, Code: 42}}})
	x.ask("AT+CMGS=17", "> ")
	x.write(hola + "\x1a")
	<-hit
	x.is("AT", ok())
	close(gate)
	x.until(ok("+CMGS: 0"))
	x.hand(hola, "\r\n+CMS ERROR: 42\r\n")
	x.hand(hola, ok("+CMGS: 1"))
	if n := b.Network.Len(); n != 2 {
		t.Errorf("%d on the air, want 2", n)
	}
}

func TestTheDeviceVanishesAndComesBackUnderAnotherName(t *testing.T) {
	for do, air := range map[sim.Deed]int{sim.VanishBefore: 0, sim.VanishAfter: 1} {
		b, x := one(t, sim.BankOptions{Faults: []sim.Fault{{At: 1, Do: do}}})
		x.ask("AT+CMGS=17", "> ")
		x.write(hola + "\x1a")
		x.gone()
		m := b.Modems[0]
		if n := b.Network.Len(); n != air || m.Path() != "" {
			t.Errorf("%d on the air, path %q; want %d and none", n, m.Path(), air)
		}
		if links, _ := filepath.Glob(filepath.Join(b.Dir(), "*")); len(links) != 0 {
			t.Errorf("the folder still has %v", links)
		}
		other := filepath.Join(b.Dir(), "other")
		if err := m.ReplugAs(other); err != nil {
			t.Fatal(err)
		}
		y := dial(t, other)
		y.ask("AT+CREG?", "AT+CREG?\r"+ok("+CREG: 0,1")) // the echo is back
	}
}

func TestAResetLetsThePortVanishAndComeBack(t *testing.T) {
	b, x := one(t, sim.BankOptions{Vendors: []sim.Vendor{sim.SIMCom}})
	x.write("AT+CFUN=1,1\r")
	x.gone()
	y := dialAgain(t, b)
	y.until("SMS Ready")
	y.ask("AT", "AT\r"+ok())
}

// dialAgain opens the first port once it is there.
func dialAgain(t *testing.T, b *sim.Bank) *term {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), safety)
	defer cancel()
	if err := b.Modems[0].Await(ctx); err != nil {
		t.Fatalf("the device does not come back: %v", err)
	}
	return dial(t, b.Device(0))
}

func TestThePINThenThePUK(t *testing.T) {
	b, x := one(t, sim.BankOptions{Card: sim.CardOptions{PIN: "1234", PUK: "87654321"}})
	x.ask("AT+CMEE=1", ok())
	x.is("AT+CPIN?", ok("+CPIN: SIM PIN"))
	x.is("AT+CIMI", "\r\n+CME ERROR: 11\r\n")
	x.is("AT+CMGS=17", "\r\n+CMS ERROR: 311\r\n")
	x.is("AT+CREG?", ok("+CREG: 0,0"))
	x.is(`AT+CPIN="0000"`, "\r\n+CME ERROR: 16\r\n")
	x.is(`AT+CPIN="0000"`, "\r\n+CME ERROR: 16\r\n")
	x.is(`AT+CPIN="0000"`, "\r\n+CME ERROR: 12\r\n")
	x.is("AT+CPIN?", ok("+CPIN: SIM PUK"))
	x.is(`AT+CPIN="87654321","4321"`, ok())
	x.is("AT+CPIN?", ok("+CPIN: READY"))
	x.is("AT+CREG?", ok("+CREG: 0,1"))

	c := b.Modems[0].RemoveCard()
	x.is("AT+CPIN?", "\r\n+CME ERROR: 10\r\n")
	x.is("AT+CMGS=17", "\r\n+CMS ERROR: 310\r\n")
	b.Modems[0].InsertCard(c)
	x.is("AT+CPIN?", ok("+CPIN: SIM PIN"))
	x.ask(`AT+CPIN="4321"`, ok())
	if pin, puk := c.Tries(); pin != 3 || puk != 10 {
		t.Errorf("%d and %d tries left, want 3 and 10", pin, puk)
	}
}

func TestTheNetworkGoesAndComes(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CREG=1;+CNMI=2,1", "OK\r\n")
	for _, r := range []gateway.Registration{gateway.RegIdle, gateway.RegSearching, gateway.RegDenied} {
		b.Modems[0].SetRegistration(r)
		x.until(fmt.Sprintf("\r\n+CREG: %d\r\n", r))
		x.hand(hola, "\r\n+CMS ERROR: 331\r\n")
	}
	if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "+59898000001", Text: "patience"}); err != nil {
		t.Fatal(err)
	}
	if n := b.Network.Waiting("8959807000000000001"); n != 1 || b.Network.Len() != 0 {
		t.Errorf("%d wait and %d are on the air, want 1 and 0", n, b.Network.Len())
	}
	b.Modems[0].SetRegistration(gateway.RegRoaming)
	x.until("+CREG: 5\r\n")
	x.until(`+CMTI: "SM",1`)
	x.hand(hola, ok("+CMGS: 0"))
}

func TestTheLineBehavesAsItIsTold(t *testing.T) {
	for _, c := range []struct {
		line   sim.Line
		prompt string
		answer string
	}{
		{sim.Line{Pace: 10 * time.Microsecond}, "\r\n> ", ok("+CMGS: 0")},
		{sim.Line{SplitPrompt: time.Millisecond}, "\r\n> ", ok("+CMGS: 0")},
		{sim.Line{DoublePrompt: true}, "\r\n> \r\n> ", ok("+CMGS: 0")},
		{sim.Line{Terse: true}, "\r\n> ", "\r\n+CMGS: 0\r\nOK\r\n"},
	} {
		_, x := one(t, sim.BankOptions{Line: c.line})
		x.is("AT+CMGS=17", c.prompt)
		x.write(hola + "\x1a")
		if got := x.until(c.answer); got != c.answer {
			t.Errorf("%+v: the modem says %q, want %q", c.line, got, c.answer)
		}
	}
}

func TestUSSDIsADialogue(t *testing.T) {
	menu := map[string]sim.USSD{
		"*100#": {Text: "1 balance", Next: map[string]sim.USSD{"1": {Text: "42.00"}}},
		"*5#":   {Text: "Saldo ñandú ж"},
	}
	for vendor, codes := range map[sim.Vendor][3]string{
		sim.Generic: {`"*100#"`, `"1"`, `"42.00"`},
		sim.Huawei:  {`"AA180C3602"`, `"31"`, `"34990B0603"`},
	} {
		_, x := one(t, sim.BankOptions{Vendors: []sim.Vendor{vendor}, Network: sim.NetworkOptions{USSD: menu}})
		x.ask("AT+CUSD=1,"+codes[0]+",15", ok())
		x.until("+CUSD: 1,")
		x.ask("AT+CUSD=1,"+codes[1]+",15", ok())
		x.until("+CUSD: 0," + codes[2] + ",15\r\n")
	}
	_, x := one(t, sim.BankOptions{Network: sim.NetworkOptions{USSD: menu}})
	x.ask(`AT+CUSD=1,"*5#",15`, `+CUSD: 0,"00530061006C0064006F002000F10061006E006400FA00200436",72`)
	x.ask(`AT+CUSD=1,"*999#",15`, "+CUSD: 4\r\n")
	x.ask(`AT+CUSD=1,"*100#",15`, `+CUSD: 1,"1 balance",15`)
	x.ask("AT+CUSD=2", ok()) // the dialogue is over: 1 means nothing now
	x.ask(`AT+CUSD=1,"1",15`, "+CUSD: 4\r\n")
}

func TestDeliveryReports(t *testing.T) {
	for _, c := range []struct {
		name    string
		reports sim.Reports
		want    string // after the prompt
	}{
		{"at once, behind the answer", sim.Reports{}, ok("+CMGS: 42") + "\r\n+CDS: 25\r\n"},
		{"early, before the answer", sim.Reports{Early: true, Status: 0x46}, "\r\n+CDS: 25\r\n"},
		{"late", sim.Reports{Delay: time.Millisecond}, ok("+CMGS: 42") + "\r\n+CDS: 25\r\n"},
		{"lost", sim.Reports{Loss: 1}, ok("+CMGS: 42") + ok()},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, x := one(t, sim.BankOptions{Card: sim.CardOptions{NextMR: 42}, Network: sim.NetworkOptions{Reports: c.reports}})
			x.ask("AT+CNMI=2,1,0,1", "OK\r\n")
			x.ask("AT+CMGS=17", "> ")
			x.write(hola + "\x1a")
			if c.reports.Loss > 0 {
				x.until("+CMGS: 42")
				x.until(ok()[2:])
				x.is("AT", ok())
				return
			}
			if got := x.until("+CDS: 25\r\n"); got != c.want {
				t.Errorf("the modem says %q, want %q", got, c.want)
			}
			pdu := strings.TrimSuffix(x.until("\r\n"), "\r\n")
			if want := "07919598090000F0062A0B919598193254F6"; !strings.HasPrefix(pdu, want) || !strings.HasSuffix(pdu, fmt.Sprintf("%02X", c.reports.Status)) {
				t.Errorf("the report is %s, want %s... and TP-ST %#x", pdu, want, c.reports.Status)
			}
			if b.Network.Len() != 1 {
				t.Errorf("%d on the air, want 1", b.Network.Len())
			}
		})
	}
}

func TestTheSeedDecidesWhichSendsFail(t *testing.T) {
	fails := func(seed uint64) string {
		_, x := one(t, sim.BankOptions{Network: sim.NetworkOptions{Seed: seed}, Faults: []sim.Fault{{Chance: 0.3, Do: sim.Refuse}}})
		var s strings.Builder
		for range 64 {
			x.ask("AT+CMGS=17", "> ")
			x.write(hola + "\x1a")
			if strings.HasPrefix(x.until("\r\n+CM")+x.until(":"), "\r\n+CMS") {
				s.WriteByte('x')
				continue
			}
			s.WriteByte('.')
			x.until("OK\r\n")
		}
		return s.String()
	}
	a, again, other := fails(7), fails(7), fails(8)
	if a != again || a == other {
		t.Errorf("seed 7 gives\n%s, then\n%s; seed 8\n%s", a, again, other)
	}
	if n := strings.Count(a, "x"); n < 10 || n > 30 {
		t.Errorf("%d of 64 sends fail, want about 19", n)
	}
}

func TestCloseTakesEverythingAway(t *testing.T) {
	b, x := one(t, sim.BankOptions{Latency: time.Hour})
	x.ask("AT+CMGS=17", "> ")
	x.write(hola + "\x1a") // in flight for an hour
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	x.gone()
	if err := b.Close(); err != nil {
		t.Errorf("a second Close gives %v", err)
	}
	if err := b.Modems[0].Replug(); err == nil {
		t.Error("a closed modem can be plugged in")
	}
	if links, _ := filepath.Glob(filepath.Join(b.Dir(), "*")); len(links) != 0 {
		t.Errorf("the folder still has %v", slices.Sorted(slices.Values(links)))
	}
}

func TestAMessageThatIsNotAcknowledgedStaysInTheNetwork(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CSMS=1;+CNMI=2,2", "OK\r\n")
	if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "+59898000001", Text: "keep"}); err != nil {
		t.Fatal(err)
	}
	x.until("+CMT: ,")
	x.ask("AT+CNMA=2", "OK\r\n") // the driver could not store it
	x.is("AT", ok())
	if n := b.Network.Waiting("8959807000000000001"); n != 1 {
		t.Errorf("%d messages wait, want 1", n)
	}
	b.Network.Flush("8959807000000000001")
	x.until("+CMT: ,")
}

func TestOpenRefusesWhatIsNoModem(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{})
	defer n.Close()
	for _, o := range []sim.Options{{}, {Network: n, Vendor: "nokia"}, {Network: n, Link: filepath.Join(t.TempDir(), "no", "such", "folder")}} {
		if m, err := sim.Open(o); err == nil {
			t.Errorf("%+v is taken", o)
			_ = m.Close()
		}
	}
}

func TestACardMovesWithWhatItKnows(t *testing.T) {
	b, err := sim.NewBank(sim.BankOptions{Modems: 2, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, y := dial(t, b.Device(0)), dial(t, b.Device(1))
	x.hand(hola, "+CMGS: 0\r\n")
	c := b.Modems[0].RemoveCard()
	b.Modems[1].RemoveCard()
	b.Modems[1].InsertCard(c)
	y.hand(hola, "+CMGS: 1\r\n") // TP-MR counts on the card
	if err := b.Network.Deliver(sim.Incoming{From: "+1234567", To: c.Number(), Text: "here"}); err != nil {
		t.Fatal(err)
	}
	if c.Stored() != 1 || b.Network.PerSIM()[c.ICCID()] != 2 {
		t.Errorf("%d stored, %v sent; want 1 and 2 by one card", c.Stored(), b.Network.PerSIM())
	}
	if es := b.Network.Entries(); es[0].Modem != "port0" || es[1].Modem != "port1" || es[0].Gap != 0 {
		t.Errorf("the ledger has %+v", es)
	}
}

func TestAMessageToACardOfTheNetworkArrivesThere(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CNMI=2,2", "OK\r\n")
	x.hand("0011000B919598080000F10000A704C8373B0C", ok("+CMGS: 0")) // to +59898000001, itself
	x.until("\r\n+CMT: ,23\r\n07919598090000F0040B919598080000F10000")
	x.until("04C8373B0C\r\n")
	if b.Network.Len() != 1 {
		t.Errorf("%d on the air, want 1", b.Network.Len())
	}
}

func TestALedgerGoesOn(t *testing.T) {
	n := sim.NewNetwork(sim.NetworkOptions{OnEntry: func(sim.Entry) { t.Error("told again") }})
	defer n.Close()
	n.Restore([]sim.Entry{{At: time.Unix(1, 0), To: "1", Text: "x", Total: 1, Seq: 1, Report: true}})
	if es := n.Entries(); len(es) != 1 || !es[0].At.Equal(time.Unix(1, 0)) || n.Copies()[sim.Copy{To: "1", Text: "x"}] != 1 {
		t.Errorf("the ledger has %+v", es)
	}
}
