package serial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem/sim"
)

var bg = context.Background()

func TestDriverComesUpOnEveryMaker(t *testing.T) {
	for _, v := range []sim.Vendor{sim.Generic, sim.Huawei, sim.Quectel, sim.SIMCom} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor = v })
			r.run(t)
			r.host.ready(t)
			c := r.d.run.Load().channel()
			if c.ICCID != "8959807000000000001" || c.IMSI != "748070000000001" || c.IMEI != r.m.IMEI() {
				t.Errorf("identity %+v", c)
			}
			if c.Signal != 18 || !c.Registration.Usable() || c.SMSC == "" || c.Operator == "" || c.Port != 3 {
				t.Errorf("network %+v", c)
			}
			if name := r.d.run.Load().quirk().name; !strings.EqualFold(name, string(v)) {
				t.Errorf("quirks of %s for a %s", name, v)
			}
			rec, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
			if err != nil || !rec.HasMR {
				t.Errorf("%+v, %v", rec, err)
			}
			if n := r.net.Len(); n != 1 {
				t.Errorf("%d messages on the air", n)
			}
			text, err := r.d.USSD(bg, 3, "*100#")
			if err != nil || text != "Saldo: 42.00" {
				t.Errorf("USSD %q, %v", text, err)
			}
			text, err = r.d.USSD(bg, 3, "*1345#") // S8: six characters
			if err != nil || text != "Menú ñ 中" {
				t.Errorf("USSD in UCS2 %q, %v", text, err)
			}
			if text, err = r.d.USSD(bg, 3, "*2#"); err != nil || text != "1 Yes" {
				t.Errorf("USSD menu %q, %v", text, err)
			}
		})
	}
}

func TestDriverSendsALongMessageWholeAndInOrder(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	text := strings.Repeat("Llegó el pedido 中 🚚 ", 12)
	for _, s := range submission(t, "+59899123456", text) {
		if _, err := r.d.Send(bg, 3, s); err != nil {
			t.Fatal(err)
		}
	}
	if m := r.net.Messages(); len(m) != 1 || m[0].Text != text {
		t.Errorf("on the air: %+v", m)
	}
}

func TestDriverOneCommandASegment(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	long := submission(t, "+59899123456", strings.Repeat("x", 400))
	for range 3 {
		for _, s := range long {
			if _, err := r.d.Send(bg, 3, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	commands := map[string]int{}
	for _, line := range r.d.Trace(3).Lines {
		if _, cmd, ok := strings.Cut(line, " > "); ok {
			name, _, _ := strings.Cut(cmd, "=")
			commands[name]++
		}
	}
	if commands["AT+CMGS"] != 9 || commands["AT+CMMS"] != 1 {
		t.Errorf("commands %v", commands)
	}
}

func TestDriverRefusesWhatIsNotItsOwn(t *testing.T) {
	r := newRig(t)
	r.run(t)
	r.host.ready(t)
	s := submission(t, "+59899123456", "Hola")[0]
	if _, err := r.d.Send(bg, 4, s); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("another port: %v", err)
	}
	s.Segments = 2
	if _, err := r.d.Send(bg, 3, s); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a segment that is not: %v", err)
	}
	if n := r.net.Len(); n != 0 {
		t.Errorf("%d messages on the air", n)
	}
}

func TestDriverOptionsAreChecked(t *testing.T) {
	tests := []struct {
		field string
		port  gateway.Port
	}{
		{"port", gateway.Port{Port: 32, Device: "/dev/ttyUSB0"}},
		{"device", gateway.Port{}},
		{"imei", gateway.Port{IMEI: "860000000000007"}},
		{"pin", gateway.Port{Device: "/dev/ttyUSB0", PIN: "1234"}},
		{"smsc", gateway.Port{Device: "/dev/ttyUSB0", SMSC: "+59 8"}},
	}
	for _, test := range tests {
		_, err := New(Options{Port: test.port})
		var e *gateway.Error
		if !errors.As(err, &e) || e.Field != test.field || e.Kind != gateway.KindInvalid {
			t.Errorf("%s: got %v", test.field, err)
		}
	}
}

// memory is a PINMemory.
type memory struct {
	tried map[string]bool
	lines []string
	fail  error
}

func (m *memory) key(iccid string, h [32]byte) string { return fmt.Sprintf("%s %x", iccid, h) }

func (m *memory) Tried(iccid string, h [32]byte) bool { return m.tried[m.key(iccid, h)] }

func (m *memory) Remember(_ context.Context, iccid string, h [32]byte) error {
	if m.fail != nil {
		return m.fail
	}
	m.tried[m.key(iccid, h)] = true
	m.lines = append(m.lines, "remember "+iccid)
	return nil
}

func (m *memory) Forget(_ context.Context, iccid string, h [32]byte) error {
	delete(m.tried, m.key(iccid, h))
	m.lines = append(m.lines, "forget "+iccid)
	return nil
}

func TestPINRightIsGivenAndMayBeGivenAgain(t *testing.T) {
	mem := &memory{tried: map[string]bool{}}
	card := sim.NewCard(sim.CardOptions{ICCID: "8959807000000000002", IMSI: "748070000000002", PIN: "4711"})
	r := newRig(t, func(o *Options, s *sim.Options) { s.Card = card; o.Port.PIN = "4711"; o.PINs = mem })
	r.run(t)
	r.host.ready(t)
	if !slices.Equal(mem.lines, []string{"remember 8959807000000000002", "forget 8959807000000000002"}) || len(mem.tried) != 0 {
		t.Errorf("memory %q", mem.lines)
	}
	for _, line := range r.d.Trace(3).Lines {
		if strings.Contains(line, "4711") {
			t.Errorf("the PIN is in the trace: %s", line)
		}
	}
}

func TestPINWrongIsTriedOnceWhateverRestarts(t *testing.T) {
	for _, v := range []sim.Vendor{sim.Generic, sim.Huawei, sim.Quectel, sim.SIMCom} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			mem := &memory{tried: map[string]bool{}}
			card := sim.NewCard(sim.CardOptions{ICCID: "8959807000000000002", IMSI: "748070000000002", PIN: "4711"})
			r := newRig(t, func(o *Options, s *sim.Options) { s.Card, s.Vendor = card, v; o.Port.PIN = "1234"; o.PINs = mem })
			for range 3 {
				ctx, cancel := context.WithCancel(bg)
				done := make(chan error)
				r.host = newRecording()
				go func() { done <- r.d.Run(ctx, r.host) }()
				r.host.until(t, "a fault", func() bool { return r.host.ch.State == gateway.ChannelFault })
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			if pin, _ := card.Tries(); pin != 2 {
				t.Errorf("%d tries left, want 2", pin)
			}
		})
	}
}

func TestPINIsNotTriedWhenTheTryCannotBeWrittenDown(t *testing.T) {
	card := sim.NewCard(sim.CardOptions{ICCID: "8959807000000000002", IMSI: "748070000000002", PIN: "4711"})
	r := newRig(t, func(o *Options, s *sim.Options) {
		s.Card = card
		o.Port.PIN, o.PINs = "4711", &memory{tried: map[string]bool{}, fail: errors.New("the disk is full")}
	})
	r.run(t)
	r.host.until(t, "a fault", func() bool { return strings.Contains(r.host.ch.Reason, "the disk is full") })
	if pin, _ := card.Tries(); pin != 3 {
		t.Errorf("%d tries left", pin)
	}
}

func TestSIMThatWantsItsPUKIsAFaultInWords(t *testing.T) {
	card := sim.NewCard(sim.CardOptions{ICCID: "8959807000000000002", IMSI: "748070000000002", PIN: "4711", Spent: true})
	r := newRig(t, func(o *Options, s *sim.Options) { s.Card = card })
	r.run(t)
	r.host.until(t, "a fault", func() bool {
		return r.host.ch.State == gateway.ChannelFault && strings.Contains(r.host.ch.Reason, "PUK")
	})
	r.m.InsertCard(sim.NewCard(sim.CardOptions{ICCID: "8959807000000000003", IMSI: "748070000000003"}))
	r.host.until(t, "the next SIM", func() bool {
		return r.host.ch.State == gateway.ChannelReady && r.host.ch.ICCID == "8959807000000000003"
	})
}
