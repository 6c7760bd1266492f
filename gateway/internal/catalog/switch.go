package catalog

import (
	"context"

	"fieldpost/gateway"
)

// Start starts the dialer of that name, or enables the campaign where it has none.
// Starting what runs changes nothing. KindNotFound.
func (c *Catalog) Start(ctx context.Context, name string) error { return c.run(ctx, name, true) }

// Stop stops the dialer of that name, or disables the campaign where it has none.
// Stopping what stands changes nothing. KindNotFound.
func (c *Catalog) Stop(ctx context.Context, name string) error { return c.run(ctx, name, false) }

func (c *Catalog) run(ctx context.Context, name string, on bool) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	word := map[bool]string{true: "started", false: "stopped"}[on]
	s := c.now.Load()
	if d, ok := s.dialers[name]; ok {
		if d.Started == on {
			return nil
		}
		d.Started = on
		_, err := c.putDialer(ctx, d, word)
		return err
	}
	v, ok := s.campaigns[name]
	switch {
	case !ok:
		return gateway.Errorf(gateway.KindNotFound, "no campaign or dialer is named %q", clip(name))
	case v.Enabled == on:
		return nil
	}
	v.Enabled = on
	_, err := c.putCampaign(ctx, v, word)
	return err
}

// Enable turns a campaign, and the dialer of its name, on or off (P29, P51). All
// that they hold stays (P30). KindNotFound.
func (c *Catalog) Enable(ctx context.Context, name string, on bool) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	word := map[bool]string{true: "enabled", false: "disabled"}[on]
	s := c.now.Load()
	v, isCampaign := s.campaigns[name]
	d, isDialer := s.dialers[name]
	if !isCampaign && !isDialer {
		return gateway.Errorf(gateway.KindNotFound, "no campaign or dialer is named %q", clip(name))
	}
	if isCampaign && v.Enabled != on {
		v.Enabled = on
		if _, err := c.putCampaign(ctx, v, word); err != nil {
			return err
		}
	}
	if isDialer && d.Enabled != on {
		d.Enabled = on
		if _, err := c.putDialer(ctx, d, word); err != nil {
			return err
		}
	}
	return nil
}
