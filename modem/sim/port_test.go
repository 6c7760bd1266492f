package sim_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

func TestAKilledDriverDoesNotKeepThePortForItself(t *testing.T) {
	b, err := sim.NewBank(sim.BankOptions{Modems: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x := dial(t, b.Device(0))
	ioctl := func(do func(fd int) error) {
		t.Helper()
		conn, err := x.f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if cerr := conn.Control(func(fd uintptr) { err = do(int(fd)) }); cerr != nil || err != nil {
			t.Fatal(cerr, err)
		}
	}
	ioctl(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) })
	x.ask("AT", ok())
	ioctl(func(fd int) error {
		if excl, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL); err != nil || excl != 0 {
			t.Errorf("TIOCGEXCL is %d, %v; want 0", excl, err)
		}
		return nil
	})
}

func TestAPortThatNobodyReadsHoldsUpNobody(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CNMI=2,1", "OK\r\n")
	line := strings.Repeat("^RSSI:18 ", 20)
	for range 2000 { // far more than a pty takes
		b.Modems[0].URC(line)
	}
	b.Modems[0].Garbage([]byte("\xff\x00\r\n"))
	x.until(line)
	x.ask("AT+CSQ", ok("+CSQ: 18,99"))
}

func TestWhatIsHeldBackComesWhenItIsAskedFor(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CNMI=0,1", "OK\r\n")
	for _, text := range []string{"one", "two"} {
		if err := b.Network.Deliver(sim.Incoming{From: "+59899123456", To: "+59898000001", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	x.is("AT", ok())
	x.is("AT+CNMI=2,1", ok())
	x.until(`+CMTI: "SM",1`)
	x.until(`+CMTI: "SM",2`)
}

func TestAStoredMessageCanBeSent(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	x.ask("AT+CMGW=17", "> ")
	x.write(hola + "\x1a")
	x.until(ok("+CMGW: 1"))
	x.is("AT+CMSS=2", "\r\n+CMS ERROR: 321\r\n")
	x.is("AT+CMSS=1", ok("+CMGS: 0"))
	if b.Network.Entries()[0].Text != "Hola" {
		t.Errorf("the ledger has %+v", b.Network.Entries())
	}
}

func TestTheLinkIsKeptForTheNextMessage(t *testing.T) {
	var clock atomic.Int64 // seconds
	_, x := one(t, sim.BankOptions{Network: sim.NetworkOptions{Now: func() time.Time { return time.Unix(1e9+clock.Load(), 0) }}})
	x.is("AT+CMMS?", ok("+CMMS: 0"))
	x.is("AT+CMMS=1", ok())
	clock.Add(4)
	x.hand(hola, ok("+CMGS: 0"))
	clock.Add(4) // since the last message
	x.is("AT+CMMS?", ok("+CMMS: 1"))
	clock.Add(2)
	x.is("AT+CMMS?", ok("+CMMS: 0"))
	x.is("AT+CMMS=2", ok())
	clock.Add(60)
	x.is("AT+CMMS?", ok("+CMMS: 2"))
	x.is("AT+CMMS=3", "\r\nERROR\r\n")
}

func TestTheRadioCanBeSwitchedOff(t *testing.T) {
	b, x := one(t, sim.BankOptions{})
	b.Modems[0].SetSignal(gateway.SignalUnknown)
	x.is("AT+CSQ", ok("+CSQ: 99,99"))
	x.is("AT+CFUN=4", ok())
	x.is("AT+CREG?", ok("+CREG: 0,0"))
	x.hand(hola, "\r\n+CMS ERROR: 331\r\n")
	x.is("AT+CFUN=1", ok())
	x.hand(hola, ok("+CMGS: 0"))
}

func TestHealedModemsFailNoMore(t *testing.T) {
	b, x := one(t, sim.BankOptions{Faults: []sim.Fault{{Chance: 1, Do: sim.Refuse}}})
	x.hand(hola, "+CMS ERROR: 38")
	b.Modems[0].Heal()
	x.hand(hola, "+CMGS: 0")
}

func TestAwaitGivesUpWithItsContext(t *testing.T) {
	b, _ := one(t, sim.BankOptions{})
	m := b.Modems[0]
	if err := m.Await(t.Context()); err != nil {
		t.Errorf("a device that is there: %v", err)
	}
	m.Unplug()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Await gives %v", err)
	}
	if m.Device() != b.Device(0) {
		t.Errorf("the device's name is %s", m.Device())
	}
}

func TestABankSaysWhyItCannotBe(t *testing.T) {
	if b, err := sim.NewBank(sim.BankOptions{Modems: 1, Dir: t.TempDir() + "/none"}); err == nil {
		t.Error("a bank in no folder is made")
		_ = b.Close()
	}
	b, err := sim.NewBank(sim.BankOptions{Modems: 2})
	if err != nil {
		t.Fatal(err)
	}
	if b.Modems[0].Device() == b.Modems[1].Device() || b.Modems[0].IMEI() == b.Modems[1].IMEI() {
		t.Error("two modems are the same")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
