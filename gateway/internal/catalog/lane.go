package catalog

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"fieldpost/gateway"
)

// Lane is one queue and all that sending from it needs to know: a dialer, or a
// campaign that has none.
type Lane struct {
	Name     string // the campaign of its rows
	Provider gateway.Provider
	Pattern  *regexp.Regexp // that a number must match; nil = any
	Ports    []int          // of the ring, in order; nil = every port of the provider
	Dialer   bool           // a dialer, so that Started counts and a cursor is kept
	Enabled  bool           // itself and, for a campaign's dialer, the campaign
	Started  bool           // always, for a campaign without a dialer
	Interval time.Duration  // between two messages; the provider's rate is in it
	Schedule gateway.Schedule
	Zone     *time.Location
	DNCR     bool
	Batch    int // 1-50
	Policy   gateway.UnknownPolicy
	Fault    string // why it can never run as it is defined; "" = nothing
	Own      bool   // a provider's own: see OwnLane
}

// Route is what the campaign of a message means when it comes in.
type Route struct {
	Name     string
	Provider string // name
	Policy   gateway.UnknownPolicy
}

// Resolve says what a message's campaign means. An unknown name is KindInvalid,
// field campaign.
func (c *Catalog) Resolve(name string) (Route, error) {
	s := c.now.Load()
	if d, ok := s.dialers[name]; ok {
		return Route{Name: name, Provider: d.Provider, Policy: d.Policy}, nil
	}
	if v, ok := s.campaigns[name]; ok {
		return Route{Name: name, Provider: v.Provider, Policy: v.Policy}, nil
	}
	if name == "" {
		return Route{}, gateway.Invalid("campaign", "is missing: the name of a campaign or dialer")
	}
	return Route{}, gateway.Invalid("campaign", "no campaign or dialer is named %q", clip(name))
}

// Lanes lists every queue there can be, by name.
func (c *Catalog) Lanes() []Lane {
	s := c.now.Load()
	names := map[string]bool{}
	for name := range s.campaigns {
		names[name] = true
	}
	for name := range s.dialers {
		names[name] = true
	}
	lanes := make([]Lane, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		lanes = append(lanes, c.lane(s, name))
	}
	return lanes
}

// OwnLane names a provider's own queue: it carries what the box itself answers to a customer
// on the port that the customer wrote to. No campaign can have its name (CheckName), so that
// nobody else's message comes into it.
func OwnLane(provider string) string { return "@" + provider }

// OwnLanes lists the providers' own queues. They have no schedule, and no pace and no
// pattern but the provider's, and run whenever their provider does.
func (c *Catalog) OwnLanes() []Lane {
	s := c.now.Load()
	lanes := make([]Lane, 0, len(s.providers))
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		p := s.providers[name]
		l := Lane{Name: OwnLane(name), Provider: p.clone().Provider, Enabled: true, Started: true, Batch: gateway.MaxBatch, Zone: c.zone, Own: true}
		l.Interval = leastInterval(&l.Provider)
		l.resolve("", nil)
		lanes = append(lanes, l)
	}
	return lanes
}

// Lane gives the queue of one campaign or dialer; KindNotFound.
func (c *Catalog) Lane(name string) (Lane, error) {
	s := c.now.Load()
	_, isCampaign := s.campaigns[name]
	_, isDialer := s.dialers[name]
	if !isCampaign && !isDialer {
		return Lane{}, gateway.Errorf(gateway.KindNotFound, "no campaign or dialer is named %q", clip(name))
	}
	return c.lane(s, name), nil
}

func (c *Catalog) lane(s *state, name string) Lane {
	v, isCampaign := s.campaigns[name]
	d, isDialer := s.dialers[name]
	l := Lane{Name: name, Enabled: true, Started: true, Batch: gateway.MaxBatch, Dialer: isDialer, Zone: c.zone}
	provider, windows := v.Provider, v.Schedule
	if isCampaign {
		l.Enabled, l.Policy = v.Enabled, v.Policy
		l.zone(v.Zone)
	}
	if isDialer {
		provider, windows = d.Provider, d.Schedule
		l.Enabled, l.Started = l.Enabled && d.Enabled, d.Started
		l.Interval, l.DNCR, l.Policy = d.Interval, d.DNCR, d.Policy
		if d.Batch > 0 {
			l.Batch = d.Batch
		}
		l.zone(d.Zone)
	}
	p, ok := s.providers[provider]
	if !ok {
		l.Fault = "provider " + provider + " is not there any more"
		return l
	}
	l.Provider = p.clone().Provider
	l.Interval = max(l.Interval, leastInterval(&l.Provider))
	l.resolve(d.DialString, windows)
	return l
}

// resolve reads what was checked when it was stored; what cannot be read now was
// spoiled by a change of its provider, and is the lane's fault.
func (l *Lane) resolve(dial string, windows []string) {
	var err error
	if l.Pattern, err = gateway.CompilePattern("pattern", l.Provider.Pattern); err != nil {
		l.Fault = err.Error()
	}
	if l.Schedule, err = gateway.ParseSchedule(windows); err != nil {
		l.Fault = err.Error()
	}
	if l.Dialer && l.Provider.NeedsDialString() {
		if l.Ports, err = gateway.ParseDialString(dial); err != nil {
			l.Fault = err.Error()
		} else if !reaches(l.Ports, &l.Provider) {
			l.Fault = "its dial string names no port of provider " + l.Provider.Name + " any more, which has " + portWords(&l.Provider)
		}
	}
}

// zone takes a named zone, where it is one.
func (l *Lane) zone(name string) {
	if name == "" {
		return
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		l.Fault = "time zone " + name + " is not known on this machine"
		return
	}
	l.Zone = z
}
