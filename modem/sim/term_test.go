package sim_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// safety ends a test whose condition never comes.
const safety = 20 * time.Second

// term is a person at the modem's port.
type term struct {
	testing.TB
	f   *os.File
	got []byte
}

func dial(t testing.TB, path string) *term {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &term{TB: t, f: f}
}

// until reads until the modem said want, and gives all that it said so far.
func (x *term) until(want string) string {
	x.Helper()
	buf := make([]byte, 4096)
	_ = x.f.SetReadDeadline(time.Now().Add(safety))
	for {
		if i := strings.Index(string(x.got), want); i >= 0 {
			said := string(x.got[:i+len(want)])
			x.got = x.got[i+len(want):]
			return said
		}
		n, err := x.f.Read(buf)
		if err != nil {
			x.Fatalf("the modem never said %q, but %q: %v", want, x.got, err)
		}
		x.got = append(x.got, buf[:n]...)
	}
}

func (x *term) write(s string) {
	x.Helper()
	if _, err := x.f.WriteString(s); err != nil {
		x.Fatal(err)
	}
}

// ask writes a command and reads until want.
func (x *term) ask(cmd, want string) string {
	x.Helper()
	x.write(cmd + "\r")
	return x.until(want)
}

// is demands the exact answer to a command.
func (x *term) is(cmd, want string) {
	x.Helper()
	if got := x.ask(cmd, want); got != want {
		x.Errorf("%s gives %q, want %q", cmd, got, want)
	}
}

// gone waits until the port hangs up.
func (x *term) gone() {
	x.Helper()
	_ = x.f.SetReadDeadline(time.Now().Add(safety))
	buf := make([]byte, 4096)
	for {
		if _, err := x.f.Read(buf); err != nil {
			if os.IsTimeout(err) {
				x.Fatal("the port does not hang up")
			}
			return
		}
	}
}

// hand gives a message to the modem and reads until want.
func (x *term) hand(pdu, want string) string {
	x.Helper()
	x.ask(fmt.Sprintf("AT+CMGS=%d", len(pdu)/2-1), "> ")
	x.write(pdu + "\x1a")
	return x.until(want)
}

// hola is an SMS-SUBMIT of "Hola" to +59899123456 with TP-SRR.
const hola = "0021000B919598193254F6000004C8373B0C"

func one(t testing.TB, o sim.BankOptions) (*sim.Bank, *term) {
	t.Helper()
	o.Modems, o.Dir = 1, t.TempDir()
	b, err := sim.NewBank(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	x := dial(t, b.Device(0))
	x.ask("ATE0", "OK\r\n")
	return b, x
}

func ok(lines ...string) string {
	var s strings.Builder
	for _, l := range append(lines, "OK") {
		s.WriteString("\r\n" + l + "\r\n")
	}
	return s.String()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnswersAsV250AndTS27007Say(t *testing.T) {
	_, x := one(t, sim.BankOptions{})
	for _, c := range []struct{ cmd, want string }{
		{"AT", ok()},
		{"at+csq", ok("+CSQ: 18,99")},
		{"AT+CREG?", ok("+CREG: 0,1")},
		{"AT+CREG=2;+CREG?", ok(`+CREG: 2,1,"00C3","0000A1B2"`)},
		{"AT+CPIN?", ok("+CPIN: READY")},
		{"AT+CCID", ok("+CCID: 8959807000000000001")},
		{"AT+CIMI", ok("748070000000001")},
		{"AT+CGSN", ok("860000000000009")},
		{"AT+GCAP", ok("+GCAP: +CGSM")},
		{"AT+COPS?", ok(`+COPS: 0,0,"Simnet"`)},
		{"AT+COPS=3,2;+COPS?", ok(`+COPS: 0,2,"74899"`)},
		{"AT+CSCA?", ok(`+CSCA: "+59899000000",145`)},
		{"AT+CPMS?", ok(`+CPMS: "SM",0,20,"SM",0,20,"SM",0,20`)},
		{"AT+CMGF?", ok("+CMGF: 0")},
		{"AT+CSMS=1", ok("+CSMS: 1,1,1")},
		{"AT+CMGL=4", ok()},
		{"AT+CMGR=99", "\r\n+CMS ERROR: 321\r\n"},
		{"AT+CMGS=0", "\r\n+CMS ERROR: 304\r\n"},
		{"AT+CUSD?", ok("+CUSD: 0")},
		{"AT+NONSENSE", "\r\nERROR\r\n"},
		{"AT+CMEE=1", ok()},
		{"AT+NONSENSE", "\r\n+CME ERROR: 4\r\n"},
		{"AT+CMEE=2;+NONSENSE", "\r\n+CME ERROR: operation not supported\r\n"},
		{"ATD099123456;", "\r\nNO CARRIER\r\n"},
		{"\x1b\x00ATI", ok("Generic GSM modem")}, // noise before AT
		{"ATV0", "0\r"},
		{"AT+CSQ", "+CSQ: 18,99\r\n0\r"},
		{"ATV1", ok()},
		{"ATE1", ok()},
		{"AT", "AT\r" + ok()},
	} {
		x.is(c.cmd, c.want)
	}
	x.write("no command\r")
	x.until("no command\r") // the echo, and no result
	x.is("ATE0", "ATE0\r"+ok())
	x.write(strings.Repeat("x", 100_000) + "\r") // more than a modem takes in
	x.until("+CMS ERROR: Invalid PDU mode parameter\r\n")
	x.is("AT", ok())
}

func TestVendorsDiffer(t *testing.T) {
	for _, c := range []struct {
		vendor    sim.Vendor
		cmd, want string
	}{
		{sim.Huawei, "AT^ICCID?", ok("^ICCID: 8959807000000000001")},
		{sim.Huawei, "AT+CCID", "\r\nCOMMAND NOT SUPPORT\r\n"},
		{sim.Huawei, "AT^CPIN?", ok("^CPIN: READY,3,10,3,10,3")},
		{sim.Quectel, "AT+QCCID", ok("+QCCID: 8959807000000000001")},
		{sim.Quectel, "AT+CEREG?", ok("+CEREG: 0,1")},
		{sim.Quectel, "AT+CMGR=1", ok()},
		{sim.SIMCom, "AT+CCID", ok("8959807000000000001")},
		{sim.SIMCom, "AT+CEREG?", "\r\nERROR\r\n"},
		{sim.Generic, "AT+CPINR", ok("+CPINR: SIM PIN,3,3", "+CPINR: SIM PUK,10,10")},
		{sim.Generic, "AT+CMGR=1", "\r\n+CMS ERROR: 321\r\n"},
	} {
		t.Run(string(c.vendor)+" "+c.cmd, func(t *testing.T) {
			_, x := one(t, sim.BankOptions{Vendors: []sim.Vendor{c.vendor}})
			x.is(c.cmd, c.want)
		})
	}
}

func TestASubmitGoesIntoTheLedgerAsItIs(t *testing.T) {
	b, x := one(t, sim.BankOptions{Card: sim.CardOptions{NextMR: 255}})
	x.hand(hola, ok("+CMGS: 255"))
	x.hand("0021000B919598193254F6000810004100630063006900F3006E002000F1", ok("+CMGS: 0")) // TP-MR wraps
	x.ask("AT+CMGS=18", "> ")                                                              // longer than what follows
	x.write(hola + "\x1a")
	x.until("+CMS ERROR: 304")
	x.ask("AT+CMGS=18", "> ")
	x.write("0011\x1b") // given up
	x.until("OK\r\n")
	es := b.Network.Entries()
	if len(es) != 2 {
		t.Fatalf("%d entries, want 2: %+v", len(es), es)
	}
	for i, text := range []string{"Hola", "Acción ñ"} {
		e := es[i]
		if e.Text != text || e.To != "+59899123456" || e.MR != uint8(255+i) || !e.Report || e.SIM != "8959807000000000001" || e.Modem != "port0" {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
	if got := b.Network.PerSIM()["8959807000000000001"]; got != 2 {
		t.Errorf("%d segments of the card, want 2", got)
	}
}

func TestATextModeMessageIsASubmitToo(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CMGF=1", "OK\r\n")
	x.ask(`AT+CMGS="+59899123456"`, "> ")
	x.write("Hola [text]\x1a")
	x.until(ok("+CMGS: 0"))
	if n := b.Network.Copies()[sim.Copy{To: "+59899123456", Text: "Hola [text]"}]; n != 1 {
		t.Errorf("ledger has %v", b.Network.Copies())
	}
	if err := b.Network.Deliver(sim.Incoming{From: "Bank", To: "+59898000001", Text: "Saldo 5 €", At: time.Date(2026, 11, 22, 14, 45, 1, 0, time.FixedZone("", -3*3600))}); err != nil {
		t.Fatal(err)
	}
	x.ask(`AT+CMGL="ALL"`, `+CMGL: 1,"REC UNREAD","Bank",,"26/11/22,14:45:01-12"`+"\r\nSaldo 5 €\r\n")
}

func TestInboundComesAsTheVectorsOfTheStandardSay(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CNMI=2,2,0,1,0", "OK\r\n")
	at := time.Date(2026, 11, 22, 14, 45, 1, 0, time.FixedZone("", -3*3600))
	if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "8959807000000000001", Text: "Hola", At: at}); err != nil {
		t.Fatal(err)
	}
	x.until("\r\n+CMT: ,23\r\n07919598090000F0040B919598193254F600006211224154102904C8373B0C\r\n")
	if err := b.Network.Deliver(sim.Incoming{From: "+1", To: "nobody", Text: "x"}); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("a message to nobody gives %v", err)
	}
}

func TestStoredMessagesAreListedReadAndDeleted(t *testing.T) {
	b, x := one(t, sim.BankOptions{Vendors: []sim.Vendor{sim.Huawei}, Card: sim.CardOptions{Slots: 2}})
	x.ask("AT+CNMI=2,1", "OK\r\n")
	for i, want := range []string{`+CMTI: "SM",1`, `+CMTI: "SM",2`, `^SMMEMFULL: "SM"`} {
		if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "+59898000001", Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
		x.until(want)
	}
	if n := b.Network.Waiting("8959807000000000001"); n != 1 {
		t.Errorf("%d messages wait in the network, want 1", n)
	}
	x.ask("AT+CMGW=17", "> ")
	x.write(hola + "\x1a")
	x.until("+CMS ERROR: 322")
	x.ask("AT+CMGL=4", "OK\r\n")
	x.ask("AT+CMGR=2", "+CMGR: 1,,")
	x.until("OK\r\n")
	x.ask("AT+CMGD=1", "OK\r\n")
	x.until(`+CMTI: "SM",1`)
	if got := b.Modems[0].Card().Stored(); got != 2 {
		t.Errorf("%d messages stored, want 2", got)
	}
}

func TestTheNextDirectMessageWaitsForTheAcknowledgement(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CSMS=1;+CNMI=2,2", "OK\r\n")
	for i := range 2 {
		if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "+59898000001", Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	x.until("+CMT: ,")
	if n := b.Network.Waiting("8959807000000000001"); n != 1 {
		t.Errorf("%d messages wait for +CNMA, want 1", n)
	}
	x.ask("AT+CNMA", "+CMT: ,")
	x.ask("AT+CNMA", "OK\r\n")
	x.is("AT+CNMA", "\r\n+CMS ERROR: 340\r\n")
}
