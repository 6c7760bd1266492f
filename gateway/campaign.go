package gateway

import "time"

// Campaign is where agents and customers meet; a message names it. In so far as
// sending needs it, it says which provider carries its messages.
type Campaign struct {
	Name     string        `json:"name"`     // [A-Za-z0-9_-]+, one namespace with the dialers
	Provider string        `json:"provider"` // name of the provider
	Enabled  bool          `json:"enabled"`
	Zone     string        `json:"time_zone,omitempty"` // IANA name; "" = the site's
	Schedule []string      `json:"schedule,omitempty"`  // windows as ParseSchedule reads them; none = always
	Policy   UnknownPolicy `json:"unknown_policy,omitempty"`
}

// Dialer sends in bulk. One that is named like a campaign is that campaign's.
type Dialer struct {
	Name       string        `json:"name"`
	Provider   string        `json:"provider"`
	Enabled    bool          `json:"enabled"`
	Started    bool          `json:"started"`
	DialString string        `json:"dial_string,omitempty"` // "" for a provider that has no ports
	Interval   time.Duration `json:"interval,omitempty"`    // time between messages
	Schedule   []string      `json:"schedule"`              // at least one window
	Zone       string        `json:"time_zone,omitempty"`
	DNCR       bool          `json:"dncr"`  // consult the blacklist
	Batch      int           `json:"batch"` // rows in memory, 1-50; 0 = 50
	Policy     UnknownPolicy `json:"unknown_policy,omitempty"`
}

// MaxBatch is the most rows that a dialer holds in memory.
const MaxBatch = 50

// Counters are one campaign's rows by status, and the totals that prove them:
// Uploaded = the sum of ByStatus + Deleted.
type Counters struct {
	ByStatus [NumStatus]uint64 // StatusQueued includes rows that are claimed or submitting
	Uploaded uint64
	Deleted  uint64
}

// Processed counts the rows that a device took, or may have taken.
func (c *Counters) Processed() uint64 {
	b := &c.ByStatus
	return b[StatusSubmitted] + b[StatusSent] + b[StatusDelivered] + b[StatusUndelivered] + b[StatusUnknown]
}

// NotProcessed counts the rows that still wait.
func (c *Counters) NotProcessed() uint64 {
	b := &c.ByStatus
	return b[StatusHeld] + b[StatusQueued] + b[StatusClaimed] + b[StatusSubmitting]
}

// Blocked counts the rows that the blacklist stopped.
func (c *Counters) Blocked() uint64 { return c.ByStatus[StatusBlocked] }

// Other counts the rows that ended without a send: invalid, failed, expired, canceled.
func (c *Counters) Other() uint64 {
	b := &c.ByStatus
	return b[StatusInvalid] + b[StatusFailed] + b[StatusExpired] + b[StatusCanceled]
}

// Balanced says that accepted equals the sum of all states.
func (c *Counters) Balanced() bool {
	return c.Uploaded == c.Processed()+c.NotProcessed()+c.Blocked()+c.Other()+c.Deleted
}

// Add adds another campaign's counters to these.
func (c *Counters) Add(o *Counters) {
	for i := range c.ByStatus {
		c.ByStatus[i] += o.ByStatus[i]
	}
	c.Uploaded += o.Uploaded
	c.Deleted += o.Deleted
}
