package dwg

import (
	"context"
	"net"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// patient waits for results as long as a test may take.
var patient = Times{Ack: 20 * time.Second, Result: 20 * time.Second, Return: 20 * time.Second}

// works logs in and says that its one port does.
func works(t *testing.T, d *Driver, w *world) *mute {
	t.Helper()
	m := logsIn(t, d.Addr().String())
	m.say(dwgwire.PortStatus, []byte{1, 0})
	m.hears()
	w.ready(t, 0)
	return m
}

// takes acknowledges the send that comes, with a code.
func (m *mute) takes(code byte) {
	m.t.Helper()
	f := m.hears()
	if f.Type != dwgwire.SendSMS {
		m.t.Fatalf("the send is %+v", f)
	}
	b, err := dwgwire.Answer(f.ID, f.Type, code).Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.conn.Write(b); err != nil {
		m.t.Fatal(err)
	}
}

// tells gives the result of a send to number, and hears that it was taken.
func (m *mute) tells(number string, code dwgwire.Code) {
	m.t.Helper()
	body, err := (&dwgwire.Result{Numbers: []string{number}, Code: code}).Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	m.say(dwgwire.SendResult, body)
	if f := m.hears(); f.Type != dwgwire.SendResult.Ack() {
		m.t.Fatalf("a result is answered with %+v", f)
	}
}

// acknowledged waits until the driver has the acknowledgement of port 0's send.
func acknowledged(d *Driver) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		d.mu.Lock()
		fl := d.flights[0]
		there := fl != nil && fl.acked
		d.mu.Unlock()
		if there {
			return
		}
		<-tick.C
	}
}

// sends sends over port 0, aside.
func sends(d *Driver, number string) <-chan error {
	got := make(chan error, 1)
	go func() {
		_, err := d.Send(context.Background(), 0, modem.Submission{To: gateway.Address(number), Text: "x", Segments: 1, UserID: 77})
		got <- err
	}()
	return got
}

func (w *world) left(t *testing.T) {
	t.Helper()
	w.until(t, "the loss of the gateway", func() bool { return w.channels[0].State == gateway.ChannelAbsent })
}

func TestAResultOnTheNextConnectionIsTheSends(t *testing.T) {
	for code, want := range map[dwgwire.Code]gateway.Kind{dwgwire.CodeOK: gateway.KindNone, dwgwire.CodeFailed: gateway.KindRefused} {
		d, w := serves(t, patient)
		m := works(t, d, w)
		got := sends(d, somebody)
		m.takes(0)
		acknowledged(d)
		for range 3 { // and it may be lost again meanwhile
			_ = m.conn.Close()
			w.left(t)
			m = works(t, d, w)
		}
		m.tells(somebody, code)
		if err := <-got; gateway.KindOf(err) != want {
			t.Errorf("result %d on the next connection gives %v, want %s", code, err, want)
		}
	}
}

func TestASendThatWasNotAcknowledgedIsInDoubtAtOnce(t *testing.T) {
	d, w := serves(t, patient)
	m := works(t, d, w)
	got := sends(d, somebody)
	m.hears()
	_ = m.conn.Close()
	if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("it gives %v", err)
	}
}

func TestAnotherGatewaysResultIsNotTheSends(t *testing.T) {
	d, w := serves(t, patient)
	m := works(t, d, w)
	got := sends(d, somebody)
	m.takes(0)
	acknowledged(d)
	_ = m.conn.Close()
	w.left(t)
	second := &mute{t: t, mac: [6]byte{2}}
	second.dial(d.Addr().String())
	if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("it gives %v", err)
	}
	second.tells(somebody, dwgwire.CodeOK)
	if _, err := d.Reconcile(t.Context(), 0, modem.Question{UserID: 77}); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("another gateway's word on it is %v", err)
	}
}

func TestAGatewayThatComesBackAndKnowsNothingHoldsNoPortForLong(t *testing.T) {
	times := patient
	times.Return = 20 * time.Millisecond
	d, w := serves(t, times)
	m := works(t, d, w)
	got := sends(d, somebody)
	m.takes(0)
	acknowledged(d)
	_ = m.conn.Close()
	w.left(t)
	select {
	case err := <-got:
		t.Fatalf("a gateway that is away is given up with %v", err)
	case <-time.After(3 * times.Return):
	}
	m = works(t, d, w)
	if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Fatalf("it gives %v", err)
	}
	if _, err := d.Reconcile(t.Context(), 0, modem.Question{UserID: 77}); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("the word on it is %v", err)
	}
	m.tells(somebody, dwgwire.CodeOK)
	if _, err := d.Reconcile(t.Context(), 0, modem.Question{UserID: 77}); err != nil {
		t.Errorf("the late word on it is %v", err)
	}
}

func TestALateRefusalIsToldToWhoeverAsks(t *testing.T) {
	for code, want := range map[dwgwire.Code]gateway.Kind{
		dwgwire.CodeFailed: gateway.KindRefused, dwgwire.CodeUnavailable: gateway.KindUnavailable, dwgwire.CodeTimeout: gateway.KindUnknownOutcome,
	} {
		times := patient
		times.Result = 20 * time.Millisecond
		d, w := serves(t, times)
		m := works(t, d, w)
		got := sends(d, somebody)
		m.takes(0)
		if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Fatalf("it gives %v", err)
		}
		m.tells(somebody, code)
		if _, err := d.Reconcile(t.Context(), 0, modem.Question{UserID: 77}); gateway.KindOf(err) != want {
			t.Errorf("the late word on it is %v, want %s", err, want)
		}
	}
}

func TestLateResultsAreBounded(t *testing.T) {
	var l late
	for id := range uint32(3 * maxLate) {
		l.note(id, dwgwire.Result{})
	}
	if _, newest := l.by[3*maxLate-1]; len(l.by) != maxLate || len(l.order) != maxLate || !newest {
		t.Errorf("it keeps %d and %d", len(l.by), len(l.order))
	}
}

// The answer to the first result was lost with the connection: the gateway tells it again.
func TestAResultThatIsRepeatedOnTheNextConnectionIsNobodys(t *testing.T) {
	d, w := serves(t, patient)
	m := works(t, d, w)
	got := sends(d, somebody)
	m.takes(0)
	m.tells(somebody, dwgwire.CodeOK)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	_ = m.conn.Close()
	w.left(t)
	m = works(t, d, w)
	got = sends(d, somebody)
	m.takes(0)
	m.tells(somebody, dwgwire.CodeOK)
	m.tells(somebody, dwgwire.CodeFailed)
	if err := <-got; gateway.KindOf(err) != gateway.KindRefused {
		t.Errorf("the result of the message before was taken: %v", err)
	}
}

func TestTheEndOfTheDriverLeavesADoubt(t *testing.T) {
	d, err := New(Options{URL: "tcp://127.0.0.1:0", User: testUser, Password: testPassword, Times: patient})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, w) }()
	w.until(t, "a listener", func() bool { return len(w.channels) > 0 })
	m := works(t, d, w)
	got := sends(d, somebody)
	m.takes(0)
	acknowledged(d)
	cancel()
	if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("it gives %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestASendWhoseBytesNeverLeftDidNotGoOut(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, ln.Addr().String())
	h := newHall(d, newWorld(), ln)
	h.ports.status([]uint8{0})
	d.session = newSession(h, conn, [6]byte{1}) // its reader has not noticed yet
	_ = conn.Close()
	_, err = d.Send(t.Context(), 0, modem.Submission{To: somebody, Text: "x", Segments: 1})
	if gateway.KindOf(err) != gateway.KindUnavailable || err.Error() != errAway.Error() || len(d.owed) != 0 {
		t.Errorf("it gives %v, and %d results are owed", err, len(d.owed))
	}
}
