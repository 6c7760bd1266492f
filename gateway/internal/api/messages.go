package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/intake"
	"fieldpost/spool"
)

// KeyInput makes a call repeatable.
type KeyInput struct {
	Key string `header:"Idempotency-Key" maxLength:"255" example:"order-7-confirmed" doc:"The same key with the same body gives the first answer again"`
}

// MessageList filters messages.
type MessageList struct {
	ListInput
	Campaign string   `query:"campaign" maxLength:"64" example:"alerts" doc:"Absent = all"`
	Upload   string   `query:"upload" maxLength:"64" doc:"Id of a base; absent = all"`
	Status   []string `query:"status" maxItems:"14" example:"[\"queued\"]" doc:"Statuses, with commas between; absent = all"`
	Order    string   `query:"order" enum:"newest,oldest" example:"newest" doc:"Absent = newest first"`
}

func (m *MessageList) query() (spool.Query, error) {
	q := spool.Query{
		Campaign: m.Campaign, Upload: m.Upload, Cursor: m.Cursor,
		Limit: m.Limit, Oldest: m.Order == "oldest",
	}
	for _, word := range m.Status {
		s, ok := gateway.ParseStatus(word)
		if !ok {
			return q, gateway.Invalid("status", "no such status: one of %s", statusWords())
		}
		q.Statuses = append(q.Statuses, s)
	}
	return q, nil
}

func statusWords() string {
	return strings.Join(mapped(gateway.Statuses(), gateway.Status.String), ", ")
}

func (a *API) messageRoutes() {
	handle(a, route{
		method: http.MethodPost, path: root + "/messages", id: "send-message", tag: "messages",
		summary: "Submit a message", text: "Answers when the message is on disk.",
		class: ClassSend, scope: access.Send, takes: true, status: http.StatusAccepted,
		errors: []int{http.StatusConflict},
	}, a.send)
	handle(a, route{
		method: http.MethodGet, path: root + "/messages", id: "list-messages", tag: "messages",
		summary: "List messages", class: ClassRead, scope: access.Read,
	}, a.messages)
	handle(a, route{
		method: http.MethodGet, path: root + "/messages/{id}", id: "get-message", tag: "messages",
		summary: "Read a message", class: ClassRead, scope: access.Read,
	}, a.message)
	handle(a, route{
		method: http.MethodGet, path: root + "/messages/{id}/timeline", id: "get-message-timeline", tag: "messages",
		summary: "What happened to a message", class: ClassRead, scope: access.Read,
	}, a.timeline)
	handle(a, route{
		method: http.MethodGet, path: root + "/messages/{id}/explain", id: "explain-message", tag: "messages",
		summary: "Why a message is where it is", class: ClassRead, scope: access.Read,
	}, a.explain)
	handle(a, route{
		method: http.MethodPost, path: root + "/messages/{id}/cancel", id: "cancel-message", tag: "messages",
		summary: "Take back a message that has not left", class: ClassControl, scope: access.Send,
		errors: []int{http.StatusConflict},
	}, a.cancel)
	handle(a, route{
		method: http.MethodPost, path: root + "/messages/{id}/resolve", id: "resolve-message", tag: "messages",
		summary: "Decide a message whose outcome nobody knows", class: ClassControl, scope: access.Send,
		errors: []int{http.StatusConflict},
	}, a.resolve)
	handle(a, route{
		method: http.MethodGet, path: root + "/spool", id: "list-spool", tag: "messages",
		summary: "The spool as the table sms_spool of the old product shows it", class: ClassRead, scope: access.Read,
	}, a.spoolRows)
}

type sendInput struct {
	KeyInput
	Body client.NewMessage
}

func (a *API) send(ctx context.Context, in *sendInput) (client.Accepted, error) {
	m := &in.Body
	r := intake.Request{
		To: m.To, Text: m.Text, Campaign: m.Campaign, Agent: m.Agent, Data: m.Data, Source: m.Source,
		Priority: m.Priority, Scope: callerOf(ctx).ID, Key: in.Key,
	}
	if m.NotBefore != nil {
		r.NotBefore = *m.NotBefore
	}
	if m.ValidUntil != nil {
		r.ValidUntil = *m.ValidUntil
	}
	added, err := a.Intake.Submit(ctx, r)
	if err != nil {
		return client.Accepted{}, err
	}
	out := client.Accepted{
		ID: idOf(added.IDM), Status: gateway.StatusQueued.String(), Segments: added.Segments, Repeated: added.Repeated,
	}
	if added.Repeated {
		// The first answer was given a while ago: say what became of the message since.
		if old, err := a.Spool.Message(added.IDM); err == nil {
			out.Status = old.Status.String()
		}
	}
	return out, nil
}

func (a *API) messages(_ context.Context, in *MessageList) (client.Page[client.Message], error) {
	q, err := in.query()
	if err != nil {
		return client.Page[client.Message]{}, err
	}
	p, err := a.Spool.List(q)
	if err != nil {
		return client.Page[client.Message]{}, err
	}
	return client.Page[client.Message]{Items: mapped(p.Messages, messageOf), Next: p.Next}, nil
}

func (a *API) spoolRows(_ context.Context, in *MessageList) (client.Page[client.SpoolRow], error) {
	q, err := in.query()
	if err != nil {
		return client.Page[client.SpoolRow]{}, err
	}
	// The old table was read in the order of entry.
	q.Oldest = in.Order != "newest"
	p, err := a.Spool.List(q)
	if err != nil {
		return client.Page[client.SpoolRow]{}, err
	}
	return client.Page[client.SpoolRow]{Items: mapped(p.Messages, rowOf), Next: p.Next}, nil
}

func (a *API) message(_ context.Context, in *IDInput) (client.Message, error) {
	m, err := a.find(in)
	if err != nil {
		return client.Message{}, err
	}
	return messageOf(m), nil
}

func (a *API) find(in *IDInput) (gateway.Message, error) {
	idm, err := in.idm()
	if err != nil {
		return gateway.Message{}, err
	}
	return a.Spool.Message(idm)
}

func (a *API) timeline(_ context.Context, in *IDInput) (client.Timeline, error) {
	m, err := a.find(in)
	if err != nil {
		return client.Timeline{}, err
	}
	return client.Timeline{ID: in.ID, Status: m.Status.String(), Omitted: m.Omitted, Steps: mapped(m.History, transitionOf)}, nil
}

func (a *API) explain(_ context.Context, in *IDInput) (client.Explanation, error) {
	m, err := a.find(in)
	if err != nil {
		return client.Explanation{}, err
	}
	reasons := a.Sender.Explain(m.IDM)
	if len(reasons) == 0 {
		reasons = []string{m.Status.String()}
		if m.Reason != "" {
			reasons[0] += ": " + m.Reason
		}
	}
	return client.Explanation{ID: in.ID, Status: m.Status.String(), Reasons: reasons}, nil
}

func (a *API) cancel(ctx context.Context, in *IDInput) (client.Message, error) {
	idm, err := in.idm()
	if err != nil {
		return client.Message{}, err
	}
	if err := a.Spool.Cancel(ctx, idm, callerOf(ctx).Name); err != nil {
		return client.Message{}, err
	}
	return a.message(ctx, in)
}

type resolveInput struct {
	IDInput
	Body client.Resolution
}

func (a *API) resolve(ctx context.Context, in *resolveInput) (client.Message, error) {
	idm, err := in.idm()
	if err != nil {
		return client.Message{}, err
	}
	as, _ := gateway.ParseStatus(in.Body.As) // The document allows three words only.
	if err := a.Spool.Resolve(ctx, idm, as, callerOf(ctx).Name); err != nil {
		return client.Message{}, err
	}
	return a.message(ctx, &in.IDInput)
}

func messageOf(m gateway.Message) client.Message {
	code := m.Status.Code()
	out := client.Message{
		ID: idOf(m.IDM), Campaign: m.Campaign, To: string(m.To), Typed: m.Typed, Text: m.Text, Data: m.Data,
		Agent: m.Agent, Source: m.Source, Upload: m.Upload, Priority: m.Priority,
		Status: m.Status.String(), Code: uint8(code), State: code.String(), Reason: m.Reason,
		Encoding: m.Encoding.String(), Segments: int(m.Segments), Attempts: int(m.Attempts),
		Channel: m.Channel, IMEI: m.IMEI, ICCID: m.ICCID, Created: m.Created.UTC(),
		NotBefore: when(m.NotBefore), ValidUntil: when(m.ValidUntil), Finished: when(m.Finished),
	}
	if m.Kind != gateway.KindNone {
		out.Kind = m.Kind.String()
	}
	for i, p := range m.Parts {
		out.Parts = append(out.Parts, partOf(i, p))
	}
	return out
}

func partOf(i int, p gateway.Part) client.Part {
	out := client.Part{Segment: i + 1, Status: p.Status.String(), Ref: p.Ref, At: when(p.At)}
	if p.HasMR {
		out.MR = &p.MR
	}
	if p.Status == gateway.StatusDelivered || p.Status == gateway.StatusUndelivered {
		out.ST = &p.ST
	}
	return out
}

func transitionOf(t gateway.Transition) client.Transition {
	out := client.Transition{At: t.At.UTC(), Status: t.Status.String(), Channel: t.Channel, Code: t.Code, Text: t.Text}
	if t.Kind != gateway.KindNone {
		out.Kind = t.Kind.String()
	}
	return out
}

func rowOf(m gateway.Message) client.SpoolRow {
	code := m.Status.Code()
	return client.SpoolRow{
		Campaign: m.Campaign, Destination: m.Typed, Message: m.Text, Priority: m.Priority,
		Device: m.Channel, IDM: m.IDM, Data: m.Data, Agent: m.Agent,
		State: uint8(code), StateName: code.String(),
	}
}

// when gives a time for JSON: nil for none.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
