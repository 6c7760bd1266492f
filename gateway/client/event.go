package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
)

// EventGap is the kind of the event that stands for those that the box has
// dropped: whoever keeps a view must read it anew.
const EventGap = "gap"

// Event is one thing that happened.
type Event struct {
	Seq  uint64          `json:"seq" example:"42" doc:"Id of the event: contiguous, from 1"`
	Kind string          `json:"kind" example:"message"`
	At   time.Time       `json:"at" example:"2030-01-02T08:00:00Z"`
	Body json.RawMessage `json:"body" doc:"What happened; its form follows the kind"`
}

// Gap is the body of an EventGap.
type Gap struct {
	After uint64 `json:"after" example:"41" doc:"The last event that the reader had"`
	Next  uint64 `json:"next" example:"1200" doc:"The event that it goes on with"`
}

// Tail starts an event stream at the present end.
const Tail = ^uint64(0)

// Events gives the events behind "after" as they happen: 0 = from the first one
// on, Tail = from now on. Where some of them are gone, an EventGap says so. It connects again by itself, with back-off, and
// resumes after the last event that it gave (HTML Standard, "Server-sent events",
// Last-Event-ID). It ends with an error when the server refuses for good (a token,
// a scope) and when ctx ends.
func (c *Client) Events(ctx context.Context, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := stream{c: c, wait: time.Second}
		if after != Tail {
			s.last = strconv.FormatUint(after, 10)
		}
		for {
			err := s.follow(ctx, yield)
			if errors.Is(err, errStopped) {
				return
			}
			if err == nil || !final(ctx, err) {
				err = s.rest(ctx)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// errStopped says that the reader of the events has had enough.
var errStopped = errors.New("stopped")

// stream is one reading of the events over as many connections as it takes.
type stream struct {
	c     *Client
	last  string        // id of the last event, as the server wrote it; "" = from the end
	tries int           // connections that brought nothing
	wait  time.Duration // before the next connection, as the server asked
}

// follow gives the events of one connection. A nil error: the connection ended.
func (s *stream) follow(ctx context.Context, yield func(Event, error) bool) error {
	body, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	for lines := bufio.NewReaderSize(body, 16<<10); ; {
		e, err := s.event(lines)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case gateway.KindOf(err) == gateway.KindInvalid:
			return err
		case err != nil:
			return nil // The connection broke: the next one resumes.
		}
		s.tries = 0
		if !yield(e, nil) {
			return errStopped
		}
	}
}

// final says that trying again brings nothing.
func final(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	switch gateway.KindOf(err) {
	case gateway.KindUnavailable, gateway.KindThrottled, gateway.KindRefused, gateway.KindUnknownOutcome:
		return false
	}
	return true
}

// connect asks for the events behind the last one.
func (s *stream) connect(ctx context.Context) (io.ReadCloser, error) {
	q := call{method: http.MethodGet, path: "/events", accept: "text/event-stream, " + ProblemType}
	req, err := s.c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	if s.last != "" {
		req.Header.Set("Last-Event-ID", s.last)
	}
	resp, err := s.c.http.Do(req)
	if err != nil {
		return nil, s.c.unreached(q, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refusal(resp)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		resp.Body.Close()
		return nil, gateway.Errorf(gateway.KindInternal, "the server answered %q instead of an event stream", kind)
	}
	return resp.Body, nil
}

// rest waits before the next connection: the server's wait, doubled up to 30 s,
// with full jitter so that many readers do not come back at once.
func (s *stream) rest(ctx context.Context) error {
	d := min(s.wait<<min(s.tries, 5), 30*time.Second)
	s.tries++
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 1 << 20

// event reads one event of the open connection.
func (s *stream) event(lines *bufio.Reader) (Event, error) {
	var data strings.Builder
	id := s.last
	for {
		text, err := line(lines)
		if err != nil {
			return Event{}, err
		}
		field, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			if data.Len()+len(value) > maxEvent {
				return Event{}, gateway.Errorf(gateway.KindInvalid, "an event is longer than %d bytes", maxEvent)
			}
			data.WriteString(value)
		case "id":
			id = value
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil && ms > 0 && ms <= 60_000 {
				s.wait = time.Duration(ms) * time.Millisecond
			}
		case "":
			// An empty line ends an event; a comment (":") only keeps the line alive.
			if text == "" && data.Len() > 0 {
				var e Event
				if err := json.Unmarshal([]byte(data.String()), &e); err != nil {
					return Event{}, gateway.Errorf(gateway.KindInvalid, "an event is no JSON of this API: %w", err)
				}
				s.last = id // Events of one id resume behind them, HTML Standard §9.2.6.
				return e, nil
			}
		}
	}
}

// line reads one line, without its end.
func line(r *bufio.Reader) (string, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if err == nil && long == nil {
			return strings.TrimRight(string(part), "\r\n"), nil
		}
		long = append(long, part...)
		switch {
		case err == nil:
			return strings.TrimRight(string(long), "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		case len(long) > maxEvent:
			return "", gateway.Errorf(gateway.KindInvalid, "a line of the event stream is longer than %d bytes", maxEvent)
		}
	}
}
