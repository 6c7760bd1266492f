package catalog

import (
	"context"
	"time"

	"fieldpost/gateway"
)

// Campaigns lists the campaigns by name.
func (c *Catalog) Campaigns() []Campaign {
	return sorted(c.now.Load().campaigns, Campaign.clone)
}

// Campaign gives one campaign; KindNotFound.
func (c *Catalog) Campaign(name string) (Campaign, error) {
	v, ok := c.now.Load().campaigns[name]
	if !ok {
		return Campaign{}, notFound(kindCampaign, name)
	}
	return v.clone(), nil
}

// PutCampaign makes or replaces a campaign. One that names no provider gets the
// default one. KindInvalid names the field; KindConflict when the name is taken or
// the revision is another.
func (c *Catalog) PutCampaign(ctx context.Context, v Campaign) (Campaign, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	v = v.clone()
	if err := s.checkCampaign(&v.Campaign); err != nil {
		return Campaign{}, err
	}
	if err := fresh(kindCampaign, v.Name, v.Revision, s.campaigns[v.Name].Revision); err != nil {
		return Campaign{}, err
	}
	return c.putCampaign(ctx, v, changeWord(v.Revision))
}

// putCampaign writes a checked campaign; the caller holds writing.
func (c *Catalog) putCampaign(ctx context.Context, v Campaign, word string) (Campaign, error) {
	rev, err := c.put(ctx, kindCampaign, v.Name, v.Revision, v.Campaign, word)
	if err != nil {
		return Campaign{}, err
	}
	v.Revision = rev
	c.publish(func(s *state) { s.campaigns[v.Name] = v })
	return v.clone(), nil
}

// DeleteCampaign deletes a campaign; KindConflict while rows of it wait and no
// dialer of its name is there to send them.
func (c *Catalog) DeleteCampaign(ctx context.Context, name string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	if _, ok := s.campaigns[name]; !ok {
		return notFound(kindCampaign, name)
	}
	lane := name
	if _, dialed := s.dialers[name]; dialed {
		lane = ""
	}
	if err := c.remove(ctx, kindCampaign, name, lane, false); err != nil {
		return err
	}
	c.publish(func(s *state) { delete(s.campaigns, name) })
	return nil
}

func (s *state) checkCampaign(v *gateway.Campaign) error {
	if err := gateway.CheckName("name", v.Name); err != nil {
		return err
	}
	if err := s.checkProvider(&v.Provider); err != nil {
		return err
	}
	if err := checkZone(v.Zone); err != nil {
		return err
	}
	if err := checkSchedule(&v.Schedule); err != nil {
		return err
	}
	return checkPolicy(v.Policy)
}

// checkProvider holds that the provider exists (P4); one that is not named is the
// default.
func (s *state) checkProvider(name *string) error {
	if *name == "" {
		if *name = s.defaultProvider(); *name == "" {
			return gateway.Invalid("provider", "is missing, and no provider is the default: %s", s.providerNames())
		}
	}
	if _, ok := s.providers[*name]; !ok {
		return gateway.Invalid("provider", "no provider is named %q: %s", clip(*name), s.providerNames())
	}
	return nil
}

func (s *state) providerNames() string {
	if len(s.providers) == 0 {
		return "make one first"
	}
	var names []string
	for _, p := range sorted(s.providers, Provider.clone) {
		names = append(names, p.Name)
	}
	return "there is " + listed(names)
}

func checkZone(name string) error {
	if name == "" {
		return nil
	}
	if _, err := time.LoadLocation(name); err != nil {
		return gateway.Invalid("time_zone", "%q is no time zone: write it as America/Montevideo", clip(name))
	}
	return nil
}

// checkSchedule reads the windows and writes them in one form.
func checkSchedule(windows *[]string) error {
	s, err := gateway.ParseSchedule(*windows)
	if err != nil {
		return err
	}
	*windows = s.Strings()
	return nil
}

func checkPolicy(p gateway.UnknownPolicy) error {
	if p > gateway.UnknownResend {
		return gateway.Invalid("unknown_policy", "must be hold or resend")
	}
	return nil
}
