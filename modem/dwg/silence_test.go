package dwg

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/internal/dwgwire"
)

// mute is a gateway made by hand, that says nothing by itself.
type mute struct {
	t    *testing.T
	conn net.Conn
	mac  [6]byte
}

func logsIn(t *testing.T, address string) *mute {
	t.Helper()
	m := &mute{t: t, mac: [6]byte{1}}
	m.dial(address)
	return m
}

// dial connects and logs in.
func (m *mute) dial(address string) {
	m.t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	m.conn = conn
	body, err := (&dwgwire.Credentials{User: testUser, Password: testPassword}).Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	m.say(dwgwire.Login, body)
	if f := m.hears(); f.Type != dwgwire.Login.Ack() || f.ID.Serial != 7 || f.Body[0] != 0 {
		m.t.Fatalf("the login is answered with %+v", f)
	}
}

func (m *mute) say(t dwgwire.Type, body []byte) {
	m.t.Helper()
	b, err := (&dwgwire.Frame{ID: dwgwire.ID{MAC: m.mac, Serial: 7}, Type: t, Body: body}).Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err := m.conn.Write(b); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mute) hears() dwgwire.Frame {
	m.t.Helper()
	f, err := dwgwire.Read(m.conn)
	if err != nil {
		m.t.Fatal(err)
	}
	return f
}

// serves runs a driver with times of its own.
func serves(t *testing.T, times Times) (*Driver, *world) {
	t.Helper()
	return servesWith(t, Options{Times: times})
}

func servesWith(t *testing.T, o Options) (*Driver, *world) {
	t.Helper()
	o.URL, o.User, o.Password = "tcp://127.0.0.1:0", testUser, testPassword
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx, w) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run gives %v", err)
		}
	})
	w.until(t, "a listener", func() bool { return len(w.channels) > 0 })
	return d, w
}

func TestKeepAlivesGoOutAndSilenceEndsTheConnection(t *testing.T) {
	d, w := serves(t, Times{KeepAlive: 10 * time.Millisecond, Silence: 200 * time.Millisecond})
	m := logsIn(t, d.Addr().String())
	for range 3 {
		if f := m.hears(); f.Type != dwgwire.KeepAlive || len(f.Body) != 0 {
			t.Fatalf("it says %+v", f)
		}
	}
	w.until(t, "the end of the connection", func() bool {
		return w.channels[0].State == gateway.ChannelAbsent && strings.Contains(w.channels[0].Reason, "silent for too long")
	})
}

func TestEachRequestIsAnsweredWithItsID(t *testing.T) {
	d, w := serves(t, Times{})
	m := logsIn(t, d.Addr().String())
	for _, r := range []struct {
		t    dwgwire.Type
		body []byte
	}{
		{dwgwire.PortStatus, []byte{1, 0}}, {dwgwire.Signal, []byte{1, 31}}, {dwgwire.CallState, []byte{1, 2, 3}},
		{dwgwire.PortStatus, []byte{200}}, {dwgwire.SendResult, nil}, // not readable: it would not be better next time
	} {
		m.say(r.t, r.body)
		if f := m.hears(); f.Type != r.t.Ack() || f.ID != (dwgwire.ID{MAC: [6]byte{1}, Serial: 7}) || len(f.Body) != 1 || f.Body[0] != 0 {
			t.Errorf("%#x is answered with %+v", r.t, f)
		}
	}
	w.until(t, "a signal", func() bool { return w.channels[0].Signal == 31 && w.channels[0].State == gateway.ChannelReady })
}

func TestAResultBeforeItsAcknowledgementIsNobodys(t *testing.T) {
	d, w := serves(t, Times{Ack: 20 * time.Second, Result: 20 * time.Second})
	m := logsIn(t, d.Addr().String())
	m.say(dwgwire.PortStatus, []byte{1, 0})
	m.hears()
	w.ready(t, 0)
	got := make(chan error, 1)
	go func() {
		_, err := d.Send(context.Background(), 0, modem.Submission{To: somebody, Text: "x", Segments: 1})
		got <- err
	}()
	f := m.hears()
	if s, err := dwgwire.DecodeSubmit(f.Body); f.Type != dwgwire.SendSMS || err != nil || s.Numbers[0] != somebody {
		t.Fatalf("the send is %+v", f)
	}
	for _, code := range []dwgwire.Code{dwgwire.CodeFailed, dwgwire.CodeOK} {
		body, err := (&dwgwire.Result{Numbers: []string{somebody}, Code: code}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		m.say(dwgwire.SendResult, body)
		m.hears()
		if code == dwgwire.CodeFailed {
			b, err := dwgwire.Answer(f.ID, f.Type, 0).Encode()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.conn.Write(b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := <-got; err != nil {
		t.Errorf("the result of an earlier message was taken: %v", err)
	}
}

func TestAResultThatIsRepeatedAfterTheNextAcknowledgementIsNobodys(t *testing.T) {
	d, w := serves(t, Times{Ack: 20 * time.Second, Result: 20 * time.Second})
	m := logsIn(t, d.Addr().String())
	m.say(dwgwire.PortStatus, []byte{1, 0})
	m.hears()
	w.ready(t, 0)
	result := func(code dwgwire.Code) []byte {
		body, err := (&dwgwire.Result{Numbers: []string{somebody}, Code: code}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	for _, codes := range [][]dwgwire.Code{{dwgwire.CodeOK}, {dwgwire.CodeOK, dwgwire.CodeFailed}} {
		got := make(chan error, 1)
		go func() {
			_, err := d.Send(context.Background(), 0, modem.Submission{To: somebody, Text: "x", Segments: 1})
			got <- err
		}()
		f := m.hears()
		b, err := dwgwire.Answer(f.ID, f.Type, 0).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.conn.Write(b); err != nil {
			t.Fatal(err)
		}
		for _, code := range codes {
			m.say(dwgwire.SendResult, result(code))
			m.hears()
		}
		want := gateway.KindNone
		if len(codes) > 1 {
			want = gateway.KindRefused
		}
		if err := <-got; gateway.KindOf(err) != want {
			t.Fatalf("after the results %v it gives %v, want %s", codes, err, want)
		}
	}
}
