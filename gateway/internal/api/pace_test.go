package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes: their deadlines keep the time
// of a synctest bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "tcp" }
func (pipeAddr) String() string  { return trusted }

// addressed is a pipe that comes from a trusted address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return pipeAddr{} }

// wire serves the rig over pipes and gives a function that connects.
func (r *rig) wire() (dial func() net.Conn) {
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	s := r.Server()
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	r.t.Cleanup(func() { s.Close(); <-served })
	return func() net.Conn {
		ours, theirs := net.Pipe()
		l.conns <- addressed{theirs}
		r.t.Cleanup(func() { ours.Close() })
		return ours
	}
}

const slowForm = "POST /Integra/resources/SMS/SendSMS HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"

// A caller who announces a body and does not send it holds a connection for a
// bounded time, whoever it is and whichever the path.
func TestABodyThatDoesNotComeEndsItsRequest(t *testing.T) {
	for name, head := range map[string]string{
		"old service": slowForm + "Content-Length: 100\r\n\r\ndestination=1",
		"chunked":     slowForm + "Transfer-Encoding: chunked\r\n\r\n5\r\ndesti",
		"json":        "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
		"no path":     "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
		"no body route": "POST /api/v1/dialers/test1/start HTTP/1.1\r\nHost: x\r\n" +
			"Authorization: Bearer wrong\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newRig(t).wire()()
				start := time.Now()
				if _, err := io.WriteString(c, head); err != nil {
					t.Fatal(err)
				}
				_ = c.SetReadDeadline(start.Add(time.Hour))
				if _, err := io.ReadAll(c); err != nil {
					t.Fatalf("the connection is still open after an hour: %v", err)
				}
				if took := time.Since(start); took > bodyTime+time.Second {
					t.Errorf("the connection was held for %s", took)
				}
			})
		})
	}
}

// slowBank answers USSD after a minute, unless its caller goes away.
type slowBank struct{ *fakeBank }

func (slowBank) USSD(ctx context.Context, _, _ string) (string, error) {
	select {
	case <-time.After(time.Minute):
		return "Balance: 10.00", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// The time to send a body is over when the body is there: a device may take longer.
func TestADeviceMayTakeLongerThanABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Bank = slowBank{&fakeBank{}} })
		secret := r.token("providers")
		c := r.wire()()
		body := `{"code":"*101#"}`
		_, err := io.WriteString(c, "POST /api/v1/channels/modems/0/ussd HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Authorization: Bearer "+secret+"\r\nContent-Length: 16\r\n\r\n"+body)
		must(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		must(t, err)
		got, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(got), "Balance") {
			t.Errorf("status %d: %s", resp.StatusCode, got)
		}
	})
}

// A caller who asks and never reads holds a connection for a bounded time.
func TestAnAnswerThatNobodyReadsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		r := newRig(t, func(o *Options) {
			o.Observe = func(Class, int, time.Duration) { ended <- time.Now() }
		})
		c := r.wire()()
		start := time.Now()
		// The document is longer than what net/http gathers.
		_, err := io.WriteString(c, "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		_ = c.SetReadDeadline(start.Add(time.Hour))
		if took := (<-ended).Sub(start); took > answerTime+time.Second {
			t.Errorf("the answer took %s", took)
		}
	})
}

// Half an answer must not look like a whole one.
func TestAPanicInMidAnswerCutsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("in the middle")
		})
		c := r.wire()()
		_, err := io.WriteString(c, "GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		must(t, err)
		if got, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("the answer %q looks whole", got)
		}
	})
}
