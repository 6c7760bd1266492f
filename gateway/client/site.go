package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Site is how the box stands.
type Site struct {
	Site     string        `json:"site" example:"oslo-1" doc:"Name of the site"`
	Version  string        `json:"version" example:"0.2.0"`
	State    string        `json:"state" enum:"starting,ready,degraded,draining" example:"ready" doc:"ready: it can send now"`
	Reasons  []string      `json:"reasons,omitempty" nullable:"false" doc:"Why it is not ready"`
	Started  time.Time     `json:"started" example:"2030-01-02T08:00:00Z"`
	Clock    Clock         `json:"clock"`
	Disk     Disk          `json:"disk"`
	Backlog  Backlog       `json:"backlog"`
	Channels ChannelCounts `json:"channels"`
}

// Clock is the box's time, and what it is worth.
type Clock struct {
	Now   time.Time `json:"now" example:"2030-01-02T08:00:00Z"`
	Zone  string    `json:"time_zone" example:"Europe/Oslo"`
	State string    `json:"state" enum:"trusted,holdover,untrusted" example:"trusted"`
}

// Disk is the disk that the spool lies on, in bytes.
type Disk struct {
	Free  uint64 `json:"free" example:"12884901888"`
	Total uint64 `json:"total" example:"31914983424"`
	Spool uint64 `json:"spool" example:"1048576" doc:"Size of the spool's file"`
}

// Backlog is what waits, over all campaigns.
type Backlog struct {
	Waiting uint64 `json:"waiting" example:"3" doc:"Messages not processed yet"`
	Unknown uint64 `json:"unknown" doc:"Messages that wait for a person or a report"`
	Events  uint64 `json:"events" doc:"Events in the outbox"`
}

// ChannelCounts counts channels.
type ChannelCounts struct {
	Ready int `json:"ready" example:"8"`
	Total int `json:"total" example:"8"`
}

// Token is an API token. Its secret is shown once, when it is made.
type Token struct {
	ID       string     `json:"id,omitempty" readOnly:"true" example:"k3v9q2ab"`
	Name     string     `json:"name" minLength:"1" maxLength:"64" example:"shop" doc:"Who uses it"`
	Scopes   []string   `json:"scopes" minItems:"1" maxItems:"16" nullable:"false" example:"[\"read\",\"send\"]" doc:"What it may do: read, send, campaigns, blacklist, providers, admin"`
	Created  *time.Time `json:"created,omitempty" readOnly:"true" example:"2030-01-02T08:00:00Z"`
	LastUsed *time.Time `json:"last_used,omitempty" readOnly:"true" doc:"To the hour; absent = not yet"`
	Token    string     `json:"token,omitempty" readOnly:"true" doc:"The secret, in the answer to its creation only"`
}

// SegmentRequest is a text to plan.
type SegmentRequest struct {
	Text string `json:"text" example:"Hi World"`
}

// SegmentPlan is how a text would travel.
type SegmentPlan struct {
	Encoding   string   `json:"encoding" enum:"GSM7,UCS2" example:"GSM7"`
	Segments   int      `json:"segments" example:"1"`
	Units      int      `json:"units" example:"8" doc:"Septets or UTF-16 units used"`
	PerSegment int      `json:"per_segment" example:"160" doc:"Units that one segment of this text holds"`
	Left       int      `json:"left" example:"152" doc:"Units left in the last segment"`
	Forced     []Forced `json:"forced,omitempty" nullable:"false" doc:"Characters that force UCS2"`
}

// Forced is a character that forces UCS2.
type Forced struct {
	Char       string `json:"char" example:"’"`
	Index      int    `json:"index" example:"4" doc:"Position in characters, from 0"`
	Suggestion string `json:"suggestion,omitempty" example:"'" doc:"A GSM 7-bit character that says the same"`
}

// NumberRequest is a number as somebody typed it.
type NumberRequest struct {
	Number   string `json:"number" minLength:"1" maxLength:"64" example:"91234567"`
	Campaign string `json:"campaign,omitempty" maxLength:"64" doc:"Look it up in this campaign's blacklist too"`
}

// NumberExplained says what a typed number becomes, and why.
type NumberExplained struct {
	Typed    string   `json:"typed" example:"91234567"`
	Number   string   `json:"number,omitempty" example:"+4791234567" doc:"Normalised; absent when it cannot be sent to"`
	Form     string   `json:"form,omitempty" enum:"e164,short,alphanumeric" example:"e164"`
	Region   string   `json:"region,omitempty" example:"NO" doc:"ISO 3166-1 of its country"`
	Valid    bool     `json:"valid" example:"true" doc:"The numbering plan has such a number"`
	Possible bool     `json:"possible" example:"true" doc:"It has the right length, at least"`
	Reasons  []string `json:"reasons" nullable:"false" example:"[\"it has no country code: read as a number of NO\"]"`
	Listed   bool     `json:"listed,omitempty" doc:"On the blacklist"`
	OptOut   bool     `json:"opt_out,omitempty" doc:"By the customer's own wish"`
}

// Site tells how the box stands.
func (c *Client) Site(ctx context.Context) (Site, error) {
	return get[Site](ctx, c, "/site", nil)
}

// Tokens lists the API tokens, without their secrets.
func (c *Client) Tokens(ctx context.Context, l List) (Page[Token], error) {
	return get[Page[Token]](ctx, c, "/tokens", l.values())
}

// CreateToken makes a token. Its Token field holds the secret, once.
func (c *Client) CreateToken(ctx context.Context, in Token) (Token, error) {
	return post[Token](ctx, c, "/tokens", in)
}

// RevokeToken ends a token at once.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/tokens/" + url.PathEscape(id)})
}

// PlanSegments says how a text would travel.
func (c *Client) PlanSegments(ctx context.Context, text string) (SegmentPlan, error) {
	return post[SegmentPlan](ctx, c, "/segments/plan", SegmentRequest{Text: text})
}

// ExplainNumber says what a typed number becomes.
func (c *Client) ExplainNumber(ctx context.Context, in NumberRequest) (NumberExplained, error) {
	return post[NumberExplained](ctx, c, "/numbers/explain", in)
}
