package serial

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/sim"
)

func TestInboundStaysInTheModemUntilItIsStored(t *testing.T) {
	r := newRig(t)
	r.host.refuse = errors.New("the disk is full")
	r.run(t)
	r.host.ready(t)
	card := r.m.Card()
	if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "Hola"}); err != nil {
		t.Fatal(err)
	}
	if card.Stored() != 1 {
		t.Fatalf("%d messages in the SIM", card.Stored())
	}
	r.host.change(func() { r.host.refuse = nil })
	r.host.until(t, "the message", func() bool { return len(r.host.parts) == 1 })
	if p := r.host.parts[0]; p.From != "+59899555555" || p.Text != "Hola" || p.Port != 3 || p.ICCID == "" {
		t.Errorf("%+v", p)
	}
}

func TestInboundThatCannotBeReadIsKeptRawAndDeleted(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	card := r.m.Card()
	garbage := []byte{0x00, 0x04, 0x0B, 0x91, 0x95, 0x81}
	if err := r.net.DeliverTPDU(card.ICCID(), garbage); err != nil {
		t.Fatal(err)
	}
	r.host.until(t, "the message", func() bool { return len(r.host.parts) == 1 })
	if p := r.host.parts[0]; p.Undecoded == "" || !strings.Contains(p.Raw, "040B9195") {
		t.Errorf("%+v", p)
	}
	emptied(t, r)
}

// emptied waits until the modem has been asked to delete what it held: the next
// command of the keeper comes after it.
func emptied(t *testing.T, r *rig) {
	t.Helper()
	l := r.d.run.Load()
	if _, err := l.s.Command(bg, ""); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); r.m.Card().Stored() > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are still in the SIM", r.m.Card().Stored())
		}
		if _, err := l.s.Command(bg, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInboundOfBeforeTheStartIsSweptUp(t *testing.T) {
	r := newRig(t)
	for _, text := range []string{"uno", "dos", "tres"} {
		if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	r.run(t)
	r.host.ready(t)
	r.host.until(t, "three messages", func() bool { return len(r.host.parts) == 3 })
	emptied(t, r)
}

func TestReportsAreMatchedBySIMAndReference(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	s := submission(t, "+59899123456", "Hola")[0]
	s.Report = true
	rec, err := r.d.Send(bg, 3, s)
	if err != nil {
		t.Fatal(err)
	}
	r.host.until(t, "the report", func() bool { return len(r.host.reports) == 1 })
	got := r.host.reports[0]
	if got.MR != rec.MR || got.Recipient != "+59899123456" || got.SIM != "8959807000000000001" || got.Channel != "bank/3" || got.ST != 0 {
		t.Errorf("%+v for reference %d", got, rec.MR)
	}
}

func TestSettingsThatTheModemForgotAreSetAgainG4(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Every.Verify = 30 * time.Millisecond })
	r.run(t)
	r.host.ready(t)
	l := r.d.run.Load()
	if _, err := l.s.Command(bg, "+CNMI=0,0,0,0,0"); err != nil {
		t.Fatal(err)
	}
	if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "callado"}); err != nil {
		t.Fatal(err)
	}
	r.host.until(t, "the message that was not announced", func() bool { return len(r.host.parts) == 1 })
}

func TestModemThatRestartsOnItsPortIsSetUpAgain(t *testing.T) {
	for _, v := range []sim.Vendor{sim.Generic, sim.Quectel} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor = v })
			r.run(t)
			r.host.ready(t)
			r.m.Inject(sim.Fault{At: 1, Do: sim.Restart})
			_, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
			if gateway.KindOf(err) != gateway.KindUnknownOutcome {
				t.Errorf("got %v", err)
			}
			if err := r.net.Deliver(sim.Incoming{From: "+59899555555", To: "+59899000001", Text: "luego"}); err != nil {
				t.Fatal(err)
			}
			r.host.until(t, "a message after the restart", func() bool { return len(r.host.parts) == 1 })
			r.host.ready(t)
		})
	}
}

func TestResetIsRefusedWhileASendIsOnItsWay(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Times.Submit = 5 * time.Second })
	r.run(t)
	r.host.ready(t)
	gate, held := make(chan struct{}), make(chan struct{})
	r.m.Inject(sim.Fault{At: 1, Do: sim.Stall, Until: gate, Hit: held})
	done := make(chan error)
	go func() {
		_, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
		done <- err
	}()
	<-held
	if err := r.d.Reset(bg, 3); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("got %v", err)
	}
	close(gate)
	if err := <-done; err != nil {
		t.Errorf("send: %v", err)
	}
	if err := r.d.Reset(bg, 3); err != nil {
		t.Errorf("reset afterwards: %v", err)
	}
	r.host.until(t, "the end of the run", func() bool { return r.host.ch.State == gateway.ChannelAbsent })
	r.host.ready(t)
}

func TestSilentModemIsWokenOrGivenUp(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	gate := make(chan struct{})
	r.m.Inject(sim.Fault{At: 1, Do: sim.Stall, Until: gate})
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("got %v", err)
	}
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a silent modem: %v", err)
	}
	r.host.until(t, "the reason", func() bool { return strings.Contains(r.host.ch.Reason, "does not answer") })
	close(gate)
	r.host.ready(t)
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestPortTakenByAnotherIsAFaultThatEnds(t *testing.T) {
	r := newRig(t)
	conn, err := at.Ports{}.Open(r.m.Device(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r.run(t)
	r.host.until(t, "a fault", func() bool {
		return r.host.ch.State == gateway.ChannelFault && strings.Contains(r.host.ch.Reason, "in use by")
	})
	conn.Close()
	r.host.ready(t)
}

func TestDeviceThatIsNotThereEndsTheRunWithTheReason(t *testing.T) {
	d, err := New(Options{Port: gateway.Port{Device: filepath.Join(t.TempDir(), "ttyUSB7")}})
	if err != nil {
		t.Fatal(err)
	}
	err = d.Run(bg, newRecording())
	if gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "ttyUSB7: no such device") {
		t.Errorf("got %v", err)
	}
}

func TestDetectTellsModemsFromOtherPorts(t *testing.T) {
	huawei := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor, s.IMEI = sim.Huawei, "860000000000015" })
	locked := newRig(t, func(_ *Options, s *sim.Options) {
		s.IMEI = "860000000000023"
		s.Card = sim.NewCard(sim.CardOptions{ICCID: "8959807000000000009", IMSI: "748070000000009", PIN: "4711"})
	})
	held := newRig(t)
	conn, err := at.Ports{}.Open(held.m.Device(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Detect(bg, PortInfo{Path: huawei.m.Device()}, PortInfo{Path: locked.m.Device()}, PortInfo{Path: held.m.Device()}, PortInfo{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	if f := found[0]; !f.Answers || !f.Best || f.Model != "huawei E173" || f.IMEI != "860000000000015" || f.SIM != "READY" || f.Operator != "Simnet" || f.Signal != 18 {
		t.Errorf("%+v", f)
	}
	if f := found[1]; !f.Answers || f.SIM != "SIM PIN" || f.Problem != "the SIM wants its PIN" {
		t.Errorf("%+v", f)
	}
	if pin, _ := locked.m.Card().Tries(); pin != 3 {
		t.Errorf("looking used up a try: %d left", pin)
	}
	if f := found[2]; f.Answers || !f.Conflict {
		t.Errorf("%+v", f)
	}
	if f := found[3]; f.Answers || !strings.Contains(f.Problem, "not a serial port") {
		t.Errorf("%+v", f)
	}
}

func TestFinderFindsAModemByItsIMEIWhereverItIs(t *testing.T) {
	other := newRig(t)
	f := NewFinder()
	r := newRig(t, func(o *Options, s *sim.Options) {
		s.IMEI = "860000000000031"
		o.Port.IMEI, o.Port.Device, o.Finder = "860000000000031", "", f
	})
	r.d.o.Port.Device = ""
	f.ports = func() ([]at.PortInfo, error) {
		return []at.PortInfo{{Path: other.m.Device()}, {Path: r.m.Device()}}, nil
	}
	r.run(t)
	r.host.ready(t)
	if r.host.ch.IMEI != "860000000000031" || r.host.ch.Device != r.m.Device() {
		t.Errorf("%+v", r.host.ch)
	}
	if _, err := f.Find(bg, "990000000000000"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestAnotherModemOnThePortIsNotTakenForTheConfiguredOne(t *testing.T) {
	r := newRig(t, func(o *Options, _ *sim.Options) { o.Port.IMEI = "990000000000000" })
	err := r.d.Run(context.Background(), r.host)
	if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), "another modem") {
		t.Errorf("got %v", err)
	}
}

func TestChoosePicksOnePortOfAModem(t *testing.T) {
	found := func(model string) []Found {
		fs := []Found{
			{Port: PortInfo{Interface: 0}, Answers: true, IMEI: "860000000000007", Model: model},
			{Port: PortInfo{Interface: 1}},
			{Port: PortInfo{Interface: 2}, Answers: true, IMEI: "860000000000007", Model: model},
		}
		choose(fs)
		return fs
	}
	best := func(fs []Found) int { return slices.IndexFunc(fs, func(f Found) bool { return f.Best }) }
	if i := best(found("Quectel EC25")); i != 0 {
		t.Errorf("Quectel: port %d", i)
	}
	if i := best(found("huawei E173")); i != 2 {
		t.Errorf("Huawei: port %d", i)
	}
}

func TestTriesOfEveryMaker(t *testing.T) {
	for line, want := range map[string]int{
		"+CPINR: SIM PIN,3,3": 3, `+QPINC: "SC",2,10`: 2, "+SPIC: 1,10,0,10": 1, "^CPIN: SIM PIN,3,10,3,10,3": 3,
	} {
		if n, ok := firstTries(line); !ok || n != want {
			t.Errorf("%s: %d, %t", line, n, ok)
		}
	}
	for _, line := range []string{"OK", "+CPINR: READY", "+CPINR: ,99"} {
		if n, ok := firstTries(line); ok {
			t.Errorf("%s: %d", line, n)
		}
	}
}

// While messages go out, the regular look asks for the signal and nothing else.
func TestHousekeepingCostsOneCommandWhileMessagesGoOut(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.d.run.Load().glance(bg); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, line := range r.d.Trace(3).Lines {
		if _, cmd, ok := strings.Cut(line, " > "); ok && strings.HasPrefix(cmd, "<pdu") {
			asked = nil
		} else if ok {
			asked = append(asked, cmd)
		}
	}
	if !slices.Equal(asked, []string{"AT+CSQ"}) {
		t.Errorf("asked %q", asked)
	}
}
