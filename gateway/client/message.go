package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// NewMessage asks for one message: POST /messages.
type NewMessage struct {
	To         string     `json:"to" minLength:"1" maxLength:"64" example:"+4791234567" doc:"Destination: international, or as it is dialled at the site"`
	Text       string     `json:"text" minLength:"1" example:"Your parcel is here." doc:"Text; up to the documented number of segments"`
	Campaign   string     `json:"campaign" minLength:"1" maxLength:"64" example:"alerts" doc:"Name of the campaign or dialer that carries it"`
	Agent      string     `json:"agent,omitempty" maxLength:"255" example:"anna" doc:"Who asks for it"`
	Priority   *uint16    `json:"priority,omitempty" maximum:"65535" example:"1" doc:"0-65535, the lower leaves first; absent = 1"`
	Data       string     `json:"data,omitempty" maxLength:"4096" example:"order=7" doc:"Extra data, kept and returned unchanged"`
	NotBefore  *time.Time `json:"not_before,omitempty" example:"2030-01-02T08:00:00Z" doc:"Do not send before this time"`
	ValidUntil *time.Time `json:"valid_until,omitempty" example:"2030-01-02T20:00:00Z" doc:"Do not send after this time: the message expires"`
	Source     string     `json:"source,omitempty" maxLength:"16" example:"3" doc:"A port to send from; absent = the ring's choice"`

	// Key makes the call repeatable over several runs of the caller, at most 255
	// bytes; "" = a fresh one for this call.
	Key string `json:"-"`
}

// Accepted answers an accepted message: it is on disk.
type Accepted struct {
	ID       string `json:"id" example:"42" doc:"Id of the message"`
	Status   string `json:"status" example:"queued" doc:"Status it was stored with"`
	Segments int    `json:"segments" example:"1" doc:"Segments on the air"`
	Repeated bool   `json:"repeated,omitempty" doc:"The idempotency key was seen before: nothing was added"`
}

// Message is one outbound message with its state.
type Message struct {
	ID         string     `json:"id" example:"42"`
	Campaign   string     `json:"campaign" example:"alerts"`
	To         string     `json:"to" example:"+4791234567" doc:"Normalised number; what was typed where it has no valid form"`
	Typed      string     `json:"typed" example:"91234567" doc:"Destination as it was given"`
	Text       string     `json:"text" example:"Your parcel is here."`
	Data       string     `json:"data,omitempty" example:"order=7"`
	Agent      string     `json:"agent,omitempty" example:"anna"`
	Source     string     `json:"source,omitempty" example:"3"`
	Upload     string     `json:"upload,omitempty" doc:"Id of the base it came with"`
	Priority   uint16     `json:"priority" example:"1"`
	Status     string     `json:"status" example:"sent" enum:"held,queued,claimed,submitting,submitted,sent,delivered,undelivered,unknown,failed,blocked,invalid,expired,canceled"`
	Code       uint8      `json:"code" example:"6" doc:"State of the old table, 0-7"`
	State      string     `json:"state" example:"SENT" doc:"Name of that state"`
	Kind       string     `json:"kind,omitempty" doc:"Why it failed or is in doubt"`
	Reason     string     `json:"reason,omitempty" doc:"The same in words"`
	Encoding   string     `json:"encoding" example:"GSM7" enum:"GSM7,UCS2"`
	Segments   int        `json:"segments" example:"1"`
	Attempts   int        `json:"attempts" example:"1"`
	Channel    string     `json:"channel,omitempty" example:"modems/3" doc:"Channel that carried it last"`
	IMEI       string     `json:"imei,omitempty" example:"490154203237518"`
	ICCID      string     `json:"iccid,omitempty" example:"8947010000000000003"`
	Created    time.Time  `json:"created" example:"2030-01-02T08:00:00Z"`
	NotBefore  *time.Time `json:"not_before,omitempty"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
	Finished   *time.Time `json:"finished,omitempty" example:"2030-01-02T08:00:03Z" doc:"When it reached a final status"`
	Parts      []Part     `json:"parts,omitempty" nullable:"false" doc:"One a segment, once the first was tried"`
}

// Part is what is known of one segment.
type Part struct {
	Segment int        `json:"segment" example:"1" doc:"1-based"`
	Status  string     `json:"status,omitempty" example:"sent" doc:"Absent until it was tried"`
	MR      *uint8     `json:"tp_mr,omitempty" example:"41" doc:"TP-MR (TS 23.040 9.2.3.6)"`
	Ref     string     `json:"ref,omitempty" doc:"Reference of a device that has no TP-MR"`
	ST      *uint8     `json:"tp_st,omitempty" example:"0" doc:"TP-Status of its last report (TS 23.040 9.2.3.15)"`
	At      *time.Time `json:"at,omitempty" example:"2030-01-02T08:00:03Z"`
}

// Timeline is what happened to a message, oldest first.
type Timeline struct {
	ID      string       `json:"id" example:"42"`
	Status  string       `json:"status" example:"sent"`
	Steps   []Transition `json:"steps" nullable:"false"`
	Omitted uint32       `json:"omitted,omitempty" doc:"Steps left out of the middle"`
}

// Transition is one line of a timeline.
type Transition struct {
	At      time.Time `json:"at" example:"2030-01-02T08:00:03Z"`
	Status  string    `json:"status" example:"sent"`
	Channel string    `json:"channel,omitempty" example:"modems/3"`
	Kind    string    `json:"kind,omitempty" doc:"Kind of the failure"`
	Code    string    `json:"code,omitempty" example:"CMS 38" doc:"Raw code of the wire"`
	Text    string    `json:"text,omitempty" doc:"Why, in words"`
}

// Explanation says in words why a message is where it is.
type Explanation struct {
	ID      string   `json:"id" example:"42"`
	Status  string   `json:"status" example:"queued"`
	Reasons []string `json:"reasons" nullable:"false" example:"[\"dialer alerts is stopped\"]"`
}

// SpoolRow is one message as the table sms_spool of the old product shows it.
type SpoolRow struct {
	Campaign    string `json:"campaign" example:"alerts"`
	Destination string `json:"destination" example:"098344484" doc:"As it was given"`
	Message     string `json:"message" example:"This is my SMS"`
	Priority    uint16 `json:"priority" example:"9999"`
	Device      string `json:"device" example:"modems/3" doc:"Provider and port used; empty before"`
	IDM         uint64 `json:"idm" example:"42" doc:"Entry position, increasing, never used again"`
	Data        string `json:"data" doc:"Extra data"`
	Agent       string `json:"agent" example:"anna"`
	State       uint8  `json:"state" example:"1"`
	StateName   string `json:"state_name" example:"TO PROCESS"`
}

// Resolution decides a message whose outcome nobody knows.
type Resolution struct {
	As string `json:"as" enum:"sent,failed,queued" example:"sent" doc:"queued sends it again"`
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last"`
}

// List asks for one page.
type List struct {
	Limit  int    // rows, 1-1000; 0 = 100
	Cursor string // Page.Next of the page before; "" = the first
}

func (l List) values() url.Values {
	v := url.Values{}
	if l.Limit != 0 {
		v.Set("limit", strconv.Itoa(l.Limit))
	}
	set(v, "cursor", l.Cursor)
	return v
}

// MessageQuery asks for messages, newest first.
type MessageQuery struct {
	List
	Campaign string   // "" = all
	Upload   string   // id of a base; "" = all
	Statuses []string // none = all
	Oldest   bool     // oldest first
}

func (q MessageQuery) values() url.Values {
	v := q.List.values()
	set(v, "campaign", q.Campaign)
	set(v, "upload", q.Upload)
	set(v, "status", strings.Join(q.Statuses, ","))
	if q.Oldest {
		v.Set("order", "oldest")
	}
	return v
}

// Send submits one message. It returns when the message is on the box's disk.
func (c *Client) Send(ctx context.Context, m NewMessage) (Accepted, error) {
	var out Accepted
	err := c.do(ctx, call{method: http.MethodPost, path: "/messages", key: m.Key, in: m, out: &out})
	return out, err
}

// Messages lists messages.
func (c *Client) Messages(ctx context.Context, q MessageQuery) (Page[Message], error) {
	return get[Page[Message]](ctx, c, "/messages", q.values())
}

// Message gives one message.
func (c *Client) Message(ctx context.Context, id string) (Message, error) {
	return get[Message](ctx, c, "/messages/"+url.PathEscape(id), nil)
}

// Timeline gives what happened to a message.
func (c *Client) Timeline(ctx context.Context, id string) (Timeline, error) {
	return get[Timeline](ctx, c, "/messages/"+url.PathEscape(id)+"/timeline", nil)
}

// Explain says why a message is where it is.
func (c *Client) Explain(ctx context.Context, id string) (Explanation, error) {
	return get[Explanation](ctx, c, "/messages/"+url.PathEscape(id)+"/explain", nil)
}

// Cancel takes back a message that has not left; KindConflict when it has.
func (c *Client) Cancel(ctx context.Context, id string) (Message, error) {
	return post[Message](ctx, c, "/messages/"+url.PathEscape(id)+"/cancel", nil)
}

// Resolve decides a message in status unknown.
func (c *Client) Resolve(ctx context.Context, id string, as Resolution) (Message, error) {
	return post[Message](ctx, c, "/messages/"+url.PathEscape(id)+"/resolve", as)
}

// Spool lists messages as the old table shows them, oldest first.
func (c *Client) Spool(ctx context.Context, q MessageQuery) (Page[SpoolRow], error) {
	return get[Page[SpoolRow]](ctx, c, "/spool", q.values())
}
