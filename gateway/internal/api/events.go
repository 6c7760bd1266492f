package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

// Bounds of the event streams.
const (
	maxStreams = 64               // open at once
	eventBatch = 256              // events of one write
	heartbeat  = 15 * time.Second // between comments that keep a quiet line alive
	streamTime = 30 * time.Second // a reader may take for one write
	retryTime  = 2 * time.Second  // a reader should wait before it connects again
)

// eventRoutes serve GET /events: Server-Sent Events (HTML Standard §9.2).
func (a *API) eventRoutes() {
	rt := &route{
		method: http.MethodGet, path: root + "/events", id: "stream-events", tag: "events",
		summary: "Follow what happens, as Server-Sent Events",
		text: "Each event has an id; Last-Event-ID resumes behind it. Without it, or after, the stream begins with what " +
			"happens next. Where events were dropped meanwhile, an event \"gap\" says so, and the stream goes on at the present end.",
		class: ClassEvents, scope: access.Read,
	}
	a.mux.HandleFunc(rt.method+" "+rt.path, a.plain(rt, a.events))
	a.describe(rt, stream(rt))
}

func (a *API) events(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	if err := onlyQuery(r, "after"); err != nil {
		return err
	}
	if a.streams.Add(1) > maxStreams {
		a.streams.Add(-1)
		return throttled(heartbeat, fmt.Sprintf("%d event streams are open already", maxStreams))
	}
	defer a.streams.Add(-1)
	after, err := a.resume(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return nil
	}
	s := &sse{w: w, out: http.NewResponseController(w), epoch: a.Spool.Epoch()}
	if err := s.open(); err == nil {
		a.follow(r, s, after)
	}
	return nil // The status is out; a reader that is gone hears nothing more.
}

// follow writes events until the reader, the server or a write ends it.
func (a *API) follow(r *http.Request, s *sse, after uint64) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		// The tail is taken before the events are read: none can slip between.
		last, changed := a.Spool.Tail()
		list, err := a.Spool.Events(after, eventBatch)
		switch gateway.KindOf(err) {
		case gateway.KindNone:
			err = s.events(list)
		case gateway.KindNotFound:
			err = s.gap(after, last, a.now())
			after = last
		default:
			a.note(r.Context(), r.Pattern, err)
		}
		if err != nil {
			return
		}
		if len(list) > 0 {
			after = list[len(list)-1].Seq
			continue
		}
		select {
		case <-changed:
		case <-beat.C:
			if s.comment() != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-a.done:
			return
		}
	}
}

// resume reads where a reader wants to go on: behind Last-Event-ID, behind after,
// or at the present end. An id of another epoch (the box was restored from a
// backup) counts as one whose successors are gone.
func (a *API) resume(r *http.Request) (uint64, error) {
	last, _ := a.Spool.Tail()
	field, id := "Last-Event-ID", r.Header.Get("Last-Event-ID")
	if id == "" {
		field, id = "after", r.URL.Query().Get("after")
	}
	if id == "" {
		return last, nil
	}
	epoch, seq, ok := strings.Cut(id, "-")
	if !ok {
		epoch, seq = "", id
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return 0, gateway.Invalid(field, "must be the id of an event")
	}
	if epoch != "" && epoch != strconv.FormatUint(a.Spool.Epoch(), 36) {
		return last + 1, nil
	}
	return n, nil
}

// sse writes one stream.
type sse struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	epoch uint64
	buf   []byte
}

func (s *sse) open() error {
	s.buf = fmt.Appendf(s.buf[:0], "retry: %d\n\n", retryTime.Milliseconds())
	return s.flush()
}

func (s *sse) events(list []gateway.Event) error {
	s.buf = s.buf[:0]
	for _, e := range list {
		if err := s.event(e.Kind, client.Event{Seq: e.Seq, Kind: e.Kind, At: e.At.UTC(), Body: e.Body}); err != nil {
			return err
		}
	}
	return s.flush()
}

// gap tells that the events after a number are gone, up to the last one.
func (s *sse) gap(after, last uint64, now time.Time) error {
	body, err := json.Marshal(client.Gap{After: after, Next: last + 1})
	if err != nil {
		return err
	}
	s.buf = s.buf[:0]
	if err := s.event(client.EventGap, client.Event{Seq: last, Kind: client.EventGap, At: now.UTC(), Body: body}); err != nil {
		return err
	}
	return s.flush()
}

// event appends one event. JSON has no line ends, so that its data is one line.
func (s *sse) event(kind string, e client.Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	s.buf = append(s.buf, "id: "...)
	s.buf = strconv.AppendUint(s.buf, s.epoch, 36)
	s.buf = append(s.buf, '-')
	s.buf = strconv.AppendUint(s.buf, e.Seq, 10)
	s.buf = fmt.Appendf(s.buf, "\nevent: %s\ndata: %s\n\n", kind, data)
	return nil
}

func (s *sse) comment() error {
	s.buf = append(s.buf[:0], ":\n\n"...)
	return s.flush()
}

// flush sends what gathered. A reader that does not take it in time is let go.
func (s *sse) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	if err := s.out.SetWriteDeadline(time.Now().Add(streamTime)); err != nil {
		return err
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return err
	}
	return s.out.Flush()
}
