package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Listed is one entry of the blacklist.
type Listed struct {
	Number   string     `json:"number" minLength:"1" maxLength:"64" example:"+4791234567"`
	Campaign string     `json:"campaign,omitempty" maxLength:"64" example:"alerts" doc:"Absent or * = every campaign"`
	OptOut   bool       `json:"opt_out" required:"false" doc:"The customer's own wish: it wins over everything"`
	Source   string     `json:"source,omitempty" maxLength:"255" example:"api" doc:"Who listed it"`
	At       *time.Time `json:"at,omitempty" readOnly:"true" example:"2030-01-02T08:00:00Z"`
}

// Hit is one message that the blacklist stopped.
type Hit struct {
	At       time.Time `json:"at" example:"2030-01-02T08:00:00Z"`
	Number   string    `json:"number" example:"+4791234567"`
	Campaign string    `json:"campaign" example:"alerts"`
	ID       string    `json:"id" example:"42" doc:"Id of the message"`
	OptOut   bool      `json:"opt_out,omitempty"`
}

// BlacklistQuery asks for entries in the order of their numbers.
type BlacklistQuery struct {
	List
	Prefix string // of the number, such as "+4791"; "" = all
}

// Blacklist lists entries.
func (c *Client) Blacklist(ctx context.Context, q BlacklistQuery) (Page[Listed], error) {
	v := q.List.values()
	set(v, "prefix", q.Prefix)
	return get[Page[Listed]](ctx, c, "/blacklist", v)
}

// AddBlacklist lists one number. Listing it again changes nothing.
func (c *Client) AddBlacklist(ctx context.Context, in Listed) (Listed, error) {
	return post[Listed](ctx, c, "/blacklist", in)
}

// RemoveBlacklist takes a number off the list of a campaign; "" = off the list
// of all. KindNotFound when it is not there, KindConflict when the customer opted out.
func (c *Client) RemoveBlacklist(ctx context.Context, number, campaign string) error {
	return c.unlist(ctx, number, campaign, url.Values{})
}

// OptIn ends the customer's opt-out from a campaign, at the customer's own wish;
// "" = the one from all. KindNotFound when there is none.
func (c *Client) OptIn(ctx context.Context, number, campaign string) error {
	return c.unlist(ctx, number, campaign, url.Values{"opt_in": {"true"}})
}

func (c *Client) unlist(ctx context.Context, number, campaign string, v url.Values) error {
	set(v, "campaign", campaign)
	return c.do(ctx, call{method: http.MethodDelete, path: "/blacklist/" + url.PathEscape(number), query: v})
}

// BlacklistHistory lists the messages that the blacklist stopped, newest first.
func (c *Client) BlacklistHistory(ctx context.Context, l List) (Page[Hit], error) {
	return get[Page[Hit]](ctx, c, "/blacklist/history", l.values())
}
