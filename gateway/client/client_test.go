package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fieldpost/gateway"
)

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(Options{BaseURL: srv.URL, Token: "fp_secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestAProblemBecomesTheErrorThatItWas(t *testing.T) {
	for _, k := range gateway.Kinds() {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ProblemType)
			w.WriteHeader(StatusOf(k))
			json.NewEncoder(w).Encode(Problem{Code: k.String(), Field: "to", Detail: "is wrong", Wire: "CMS 38", Retry: 3})
		})
		_, err := c.Message(t.Context(), "1")
		var e *gateway.Error
		if !errors.As(err, &e) || e.Kind != k || e.Field != "to" || e.Text != "is wrong" || e.Code != "CMS 38" || e.Retry != 3*time.Second {
			t.Errorf("%s: %#v", k, err)
		}
	}
}

func TestAnAnswerThatIsNoProblemIsToldByItsStatus(t *testing.T) {
	for status, want := range map[int]gateway.Kind{
		401: gateway.KindUnauthorized, 404: gateway.KindNotFound, 418: gateway.KindInvalid, 429: gateway.KindThrottled,
		500: gateway.KindInternal, 503: gateway.KindUnavailable, 302: gateway.KindInternal,
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://example.com/")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			io.WriteString(w, "<html>")
		})
		_, err := c.Site(t.Context())
		var e *gateway.Error
		if !errors.As(err, &e) || e.Kind != want || e.Retry != 7*time.Second {
			t.Errorf("%d: %#v", status, err)
		}
	}
}

func TestACallThatMayHaveHappenedSaysSo(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler) // the connection breaks after the request was read
	})
	if _, err := c.StartDialer(t.Context(), "x"); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("POST: %v", err)
	}
	if _, err := c.Site(t.Context()); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("GET: %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	c, err := New(Options{BaseURL: gone.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.StartDialer(t.Context(), "x"); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("nobody there: %v", err)
	}
}

func TestEachCreationHasItsOwnKey(t *testing.T) {
	keys := make(chan string, 3)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		if r.Header.Get("Authorization") != "Bearer fp_secret" {
			t.Error("the token did not come")
		}
		io.WriteString(w, "{}")
	})
	for _, key := range []string{"", "", "mine"} {
		if _, err := c.Send(t.Context(), NewMessage{Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	a, b, mine := <-keys, <-keys, <-keys
	if a == "" || a == b || mine != "mine" {
		t.Errorf("keys %q, %q, %q", a, b, mine)
	}
}

func TestAFileIsSentAsItIsReadAndItsProgressIsTold(t *testing.T) {
	const size = 3 << 20
	var got int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, `{"upload":%q}`, r.URL.Query().Get("upload"))
	})
	var last int64
	grows := true
	u, err := c.UploadBase(t.Context(), "a b", File{
		Reader: iotest.HalfReader(io.LimitReader(zeros{}, size)), Upload: "u1", Size: -1,
		Progress: func(n int64) { grows, last = grows && n > last, n },
	})
	if err != nil || u.Upload != "u1" || got != size || last != size || !grows {
		t.Errorf("got %+v, %v; %d bytes came, %d told", u, err, got, last)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestTheStreamResumesBehindTheLastEventThatItGave(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "retry: 1\n\n:\n\n")
		n := len(asked)
		fmt.Fprintf(w, "id: e-%d\r\nevent: message\r\ndata: {\"seq\":%d,\ndata: \"kind\":\"message\",\"body\":%q}\n\n", n, n, strings.Repeat("x", 100<<10))
		io.WriteString(w, "id: e-99\ndata: {\"seq\":99") // breaks off
	})
	var seen []uint64
	for e, err := range c.Events(t.Context(), Tail) {
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, e.Seq); len(seen) == 3 {
			break
		}
	}
	if fmt.Sprint(seen) != "[1 2 3]" || strings.Join(asked, ",") != ",e-1,e-2" {
		t.Errorf("gave %v, asked for %q", seen, asked)
	}
}

func TestTheStreamEndsWhenTheServerRefusesForGood(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	n := 0
	for _, err := range c.Events(t.Context(), 0) {
		n++
		if gateway.KindOf(err) != gateway.KindForbidden {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d turns", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range c.Events(ctx, 0) {
		if err == nil {
			t.Error("an event after the end")
		}
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, MaxAnswer+100) })
	if _, err := c.Site(t.Context()); gateway.KindOf(err) != gateway.KindInternal || !strings.Contains(err.Error(), "longer") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAServerIsABaseURL(t *testing.T) {
	for _, bad := range []string{"box:8080", "ftp://box", "http://", "http://user:pw@box", "http://box?x=1", "::"} {
		if _, err := New(Options{BaseURL: bad}); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Channel(t.Context(), "modems"); gateway.KindOf(err) != gateway.KindInvalid {
		t.Errorf("a channel without a port: %v", err)
	}
}
