package app

import (
	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/dialer"
)

// lanes shows the catalog to the dialer: the same queues, in the dialer's words.
type lanes struct {
	*catalog.Catalog
	simLimits map[string]gateway.Limits // of single SIMs, by ICCID: instead of the provider's
}

// Lanes lists every queue that there can be.
func (l lanes) Lanes() []dialer.Lane {
	all := append(l.Catalog.Lanes(), l.Catalog.OwnLanes()...)
	out := make([]dialer.Lane, len(all))
	for i := range all {
		out[i] = toLane(&all[i], l.simLimits)
	}
	return out
}

func toLane(c *catalog.Lane, simLimits map[string]gateway.Limits) dialer.Lane {
	return dialer.Lane{
		Name:      c.Name,
		Fault:     c.Fault,
		Provider:  c.Provider.Name,
		Ports:     c.Ports,
		Choice:    c.Provider.Choice,
		Interval:  c.Interval,
		Schedule:  c.Schedule,
		Zone:      c.Zone,
		Running:   c.Enabled && c.Started && c.Fault == "" && !c.Provider.Disabled(),
		DNCR:      c.DNCR,
		Exempt:    c.Own,
		Batch:     c.Batch,
		Pattern:   c.Pattern,
		Rate:      c.Provider.Rate,
		Limits:    c.Provider.Limits,
		SIMLimits: simLimits,
		Report:    c.Provider.Report,
		Sender:    c.Provider.Sender,
	}
}
