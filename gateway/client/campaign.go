package client

import (
	"context"
	"net/http"
	"net/url"
)

// Campaign is where agents and customers meet, in so far as sending needs it.
type Campaign struct {
	Name     string   `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" example:"alerts" doc:"Unique among campaigns and dialers together"`
	Provider string   `json:"provider" minLength:"1" maxLength:"64" example:"modems" doc:"Name of the provider that carries its messages"`
	Enabled  *bool    `json:"enabled,omitempty" example:"true" doc:"Absent = true"`
	TimeZone string   `json:"time_zone,omitempty" maxLength:"64" example:"Europe/Oslo" doc:"IANA name; absent = the site's"`
	Schedule []string `json:"schedule,omitempty" maxItems:"64" nullable:"false" example:"[\"mon,tue,wed,thu,fri;09:00-17:59\"]" doc:"Windows; none = always"`
	Policy   string   `json:"unknown_policy,omitempty" enum:"hold,resend" example:"hold" doc:"What happens to a message whose outcome nobody knows; absent = hold"`
	Revision uint64   `json:"revision,omitempty" example:"1" doc:"In a PUT: the revision that it replaces; absent = whichever is there"`

	Active     bool `json:"active" readOnly:"true" doc:"Enabled and, where it has a dialer, started"`
	OnSchedule bool `json:"on_schedule" readOnly:"true" doc:"Inside one of its windows now"`
}

// Dialer sends in bulk.
type Dialer struct {
	Name       string   `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" example:"bulk" doc:"Named like a campaign, it is that campaign's dialer"`
	Provider   string   `json:"provider" minLength:"1" maxLength:"64" example:"modems" doc:"Name of the provider: messages leave by it only"`
	Enabled    *bool    `json:"enabled,omitempty" example:"true" doc:"Absent = true"`
	DialString string   `json:"dial_string,omitempty" maxLength:"255" example:"(0.3)" doc:"A port, a range or a list of ports 0-31; absent for a provider without ports"`
	IntervalMS int64    `json:"interval_ms,omitempty" minimum:"0" maximum:"86400000" example:"500" doc:"Time between two messages, in milliseconds"`
	Schedule   []string `json:"schedule,omitempty" maxItems:"64" nullable:"false" example:"[\"sun,mon,tue,wed,thu,fri,sat;00:00-23:59\"]" doc:"Windows; absent = every day"`
	TimeZone   string   `json:"time_zone,omitempty" maxLength:"64" example:"Europe/Oslo" doc:"IANA name; absent = the site's"`
	DNCR       bool     `json:"dncr" required:"false" doc:"Consult the blacklist"`
	Batch      int      `json:"batch,omitempty" minimum:"0" maximum:"50" example:"50" doc:"Rows in memory; absent = 50"`
	Policy     string   `json:"unknown_policy,omitempty" enum:"hold,resend" example:"hold" doc:"What happens to a message whose outcome nobody knows; absent = hold"`
	Revision   uint64   `json:"revision,omitempty" example:"1" doc:"In a PUT: the revision that it replaces; absent = whichever is there"`

	Started    bool     `json:"started" readOnly:"true" doc:"Somebody started it, and nobody stopped it since"`
	Active     bool     `json:"active" readOnly:"true" doc:"Enabled and started"`
	OnSchedule bool     `json:"on_schedule" readOnly:"true" doc:"Inside one of its windows now"`
	Reasons    []string `json:"reasons,omitempty" readOnly:"true" nullable:"false" doc:"Why it sends nothing now; none when it does"`
}

// Counters are a campaign's rows, and the sums that prove them:
// uploaded = processed + not_processed + blocked + other + deleted.
type Counters struct {
	Campaign     string            `json:"campaign" example:"alerts"`
	Uploaded     uint64            `json:"uploaded" example:"3"`
	Processed    uint64            `json:"processed" example:"2"`
	NotProcessed uint64            `json:"not_processed" example:"1"`
	Blocked      uint64            `json:"blocked"`
	Other        uint64            `json:"other"`
	Deleted      uint64            `json:"deleted"`
	Balanced     bool              `json:"balanced" example:"true" doc:"Accepted equals the sum of all states"`
	ByStatus     map[string]uint64 `json:"by_status" doc:"Rows by status; a status without rows is absent"`
}

// Deleted answers the deletion of rows.
type Deleted struct {
	Deleted int `json:"deleted" example:"12" doc:"Rows"`
}

// Released answers the release of held rows.
type Released struct {
	Released int `json:"released" example:"12" doc:"Rows"`
}

// DialerQuery asks for dialers.
type DialerQuery struct {
	List
	Active *bool // nil = all
}

// Campaigns lists the campaigns by name.
func (c *Client) Campaigns(ctx context.Context, l List) (Page[Campaign], error) {
	return get[Page[Campaign]](ctx, c, "/campaigns", l.values())
}

// Campaign gives one campaign.
func (c *Client) Campaign(ctx context.Context, name string) (Campaign, error) {
	return get[Campaign](ctx, c, campaignPath(name), nil)
}

// CreateCampaign makes a campaign; KindConflict when the name is taken.
func (c *Client) CreateCampaign(ctx context.Context, in Campaign) (Campaign, error) {
	return post[Campaign](ctx, c, "/campaigns", in)
}

// UpdateCampaign replaces a campaign; KindConflict when Revision is not the stored one.
func (c *Client) UpdateCampaign(ctx context.Context, in Campaign) (Campaign, error) {
	return put[Campaign](ctx, c, campaignPath(in.Name), in)
}

// DeleteCampaign deletes a campaign; KindConflict while rows of it wait.
func (c *Client) DeleteCampaign(ctx context.Context, name string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: campaignPath(name)})
}

// StartCampaign starts a campaign's sending.
func (c *Client) StartCampaign(ctx context.Context, name string) (Campaign, error) {
	return post[Campaign](ctx, c, campaignPath(name)+"/start", nil)
}

// StopCampaign stops a campaign's sending.
func (c *Client) StopCampaign(ctx context.Context, name string) (Campaign, error) {
	return post[Campaign](ctx, c, campaignPath(name)+"/stop", nil)
}

// CampaignCounters gives a campaign's counters.
func (c *Client) CampaignCounters(ctx context.Context, name string) (Counters, error) {
	return get[Counters](ctx, c, campaignPath(name)+"/counters", nil)
}

// DeleteUnprocessed removes the rows of a campaign that were not sent, the
// failed and blocked ones with them.
func (c *Client) DeleteUnprocessed(ctx context.Context, name string) (Deleted, error) {
	var out Deleted
	err := c.do(ctx, call{method: http.MethodDelete, path: campaignPath(name) + "/unprocessed", out: &out, long: true})
	return out, err
}

// Release puts the held rows of a campaign or dialer into its queue.
func (c *Client) Release(ctx context.Context, name string) (Released, error) {
	var out Released
	err := c.do(ctx, call{method: http.MethodPost, path: campaignPath(name) + "/release", out: &out, long: true})
	return out, err
}

// Dialers lists the dialers by name.
func (c *Client) Dialers(ctx context.Context, q DialerQuery) (Page[Dialer], error) {
	v := q.List.values()
	if q.Active != nil {
		v.Set("active", boolWord(*q.Active))
	}
	return get[Page[Dialer]](ctx, c, "/dialers", v)
}

// Dialer gives one dialer.
func (c *Client) Dialer(ctx context.Context, name string) (Dialer, error) {
	return get[Dialer](ctx, c, dialerPath(name), nil)
}

// CreateDialer makes a dialer; KindConflict when the name is taken.
func (c *Client) CreateDialer(ctx context.Context, in Dialer) (Dialer, error) {
	return post[Dialer](ctx, c, "/dialers", in)
}

// UpdateDialer replaces a dialer; KindConflict when Revision is not the stored one.
func (c *Client) UpdateDialer(ctx context.Context, in Dialer) (Dialer, error) {
	return put[Dialer](ctx, c, dialerPath(in.Name), in)
}

// DeleteDialer deletes a dialer; KindConflict while rows of it wait.
func (c *Client) DeleteDialer(ctx context.Context, name string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: dialerPath(name)})
}

// StartDialer starts a dialer.
func (c *Client) StartDialer(ctx context.Context, name string) (Dialer, error) {
	return post[Dialer](ctx, c, dialerPath(name)+"/start", nil)
}

// StopDialer stops a dialer: nothing more leaves within one interval.
func (c *Client) StopDialer(ctx context.Context, name string) (Dialer, error) {
	return post[Dialer](ctx, c, dialerPath(name)+"/stop", nil)
}

// DialerCounters gives a dialer's counters.
func (c *Client) DialerCounters(ctx context.Context, name string) (Counters, error) {
	return get[Counters](ctx, c, dialerPath(name)+"/counters", nil)
}

func campaignPath(name string) string { return "/campaigns/" + url.PathEscape(name) }

func dialerPath(name string) string { return "/dialers/" + url.PathEscape(name) }
