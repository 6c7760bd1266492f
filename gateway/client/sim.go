package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SIM is the passport of one card. A list leaves out Places and Balances.
type SIM struct {
	ID       string       `json:"id" example:"8947010000000000003" doc:"Its ICCID, or imsi:... or channel:... where the device does not tell it"`
	ICCID    string       `json:"iccid,omitempty" example:"8947010000000000003"`
	IMSI     string       `json:"imsi,omitempty" example:"242010000000003"`
	Number   string       `json:"number,omitempty" example:"+4790000003"`
	Operator string       `json:"operator,omitempty" example:"Telenor"`
	Channel  string       `json:"channel,omitempty" example:"modems/3" doc:"Where it is now; absent = in no slot"`
	First    *time.Time   `json:"first,omitempty" example:"2030-01-02T08:00:00Z" doc:"When it was first seen"`
	Last     *time.Time   `json:"last,omitempty" example:"2030-01-02T08:00:00Z" doc:"And last"`
	Held     *SIMHold     `json:"held,omitempty" doc:"Why it sends nothing; absent = it may send"`
	Health   *SIMHealth   `json:"health,omitempty" doc:"Absent until it was looked at"`
	Balance  *SIMBalance  `json:"balance,omitempty" doc:"Absent = it was never asked for"`
	Left     *SIMLeft     `json:"left,omitempty" doc:"Of its quota; absent = without limit, or not known yet"`
	Places   []SIMPlace   `json:"places,omitempty" nullable:"false" doc:"Where it was, newest first, at most 20"`
	Balances []SIMBalance `json:"balances,omitempty" nullable:"false" doc:"What its balance was, newest first, at most 100"`
}

// SIMHold says why a card sends nothing.
type SIMHold struct {
	Since *time.Time `json:"since" example:"2030-01-02T08:00:00Z"`
	Cause string     `json:"cause" enum:"person,swap,reports" example:"reports"`
	Why   string     `json:"why" example:"none of the 34 segments that it sent since 2030-01-02 06:00 UTC was delivered"`
	By    string     `json:"by,omitempty" doc:"Who holds it; absent = fieldpost"`
}

// SIMHealth is how a card fares, against its own past.
type SIMHealth struct {
	Score   int      `json:"score" example:"100" doc:"0-100"`
	Reasons []string `json:"reasons" nullable:"false" doc:"For what is missing to 100"`
}

// SIMBalance is what the network said of a card's balance.
type SIMBalance struct {
	At       *time.Time `json:"at,omitempty" example:"2030-01-02T08:00:00Z" doc:"Of the last answer; absent = there was none"`
	Amount   *float64   `json:"amount,omitempty" example:"120.5" doc:"Absent = none could be read"`
	Text     string     `json:"text,omitempty" doc:"The answer as it came, where no amount could be read"`
	Low      bool       `json:"low,omitempty" doc:"Below what raises an alarm"`
	DaysLeft *int       `json:"days_left,omitempty" example:"12" doc:"At the rate of the last two weeks; absent = it cannot be told"`
	Error    string     `json:"error,omitempty" doc:"Why the last try brought no answer"`
}

// SIMLeft is what a card may still send.
type SIMLeft struct {
	Segments   *uint32 `json:"segments,omitempty" example:"170" doc:"Of its day or its billing month, whichever ends first; absent = no limit"`
	Recipients *uint32 `json:"recipients,omitempty" doc:"Different numbers, of its billing month; absent = no limit"`
}

// SIMPlace is where a card was.
type SIMPlace struct {
	Channel string     `json:"channel" example:"modems/3"`
	IMEI    string     `json:"imei,omitempty" example:"490154203237518"`
	Since   *time.Time `json:"since" example:"2030-01-02T08:00:00Z"`
}

// SIMReason is why a person holds a card.
type SIMReason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"300" example:"lent to the other branch"`
}

// SIMs lists the cards that were ever seen, by id.
func (c *Client) SIMs(ctx context.Context, l List) (Page[SIM], error) {
	return get[Page[SIM]](ctx, c, "/sims", l.values())
}

// SIM gives one card by its id.
func (c *Client) SIM(ctx context.Context, id string) (SIM, error) {
	return get[SIM](ctx, c, simPath(id), nil)
}

// HoldSIM keeps a card from sending until it is released.
func (c *Client) HoldSIM(ctx context.Context, id, why string) (SIM, error) {
	return post[SIM](ctx, c, simPath(id)+"/hold", SIMReason{Reason: why})
}

// ReleaseSIM lets a held card send again; KindConflict when it is not held.
func (c *Client) ReleaseSIM(ctx context.Context, id string) (SIM, error) {
	return post[SIM](ctx, c, simPath(id)+"/release", nil)
}

// ConfirmSIM says that a card is right in its new slot; KindConflict when it does not
// wait for that.
func (c *Client) ConfirmSIM(ctx context.Context, id string) (SIM, error) {
	return post[SIM](ctx, c, simPath(id)+"/confirm", nil)
}

// SIMBalance asks the network for a card's balance now, within about two minutes.
func (c *Client) SIMBalance(ctx context.Context, id string) (SIM, error) {
	var out SIM
	err := c.do(ctx, call{method: http.MethodPost, path: simPath(id) + "/balance", out: &out, long: true})
	return out, err
}

func simPath(id string) string { return "/sims/" + url.PathEscape(id) }
