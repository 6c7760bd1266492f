package catalog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Store is what the catalog needs of the spool.
type Store interface {
	// PutDocTold stores a document over the revision that it names, with its event;
	// KindConflict when another is stored.
	PutDocTold(ctx context.Context, d spool.Doc, ch spool.Change) (spool.Doc, error)
	// DeleteDocTold deletes a document, with its event; KindConflict while rows wait
	// in its lane, which it closes.
	DeleteDocTold(ctx context.Context, kind, name string, ch spool.Change) error
	Docs(kind string) ([]spool.Doc, error)
}

// Options are what Open needs to know.
type Options struct {
	Store   Store
	Managed []Provider     // of the configuration file
	Zone    *time.Location // of definitions that name none; nil = UTC
}

// Campaign is a campaign with its revision.
type Campaign struct {
	gateway.Campaign
	Revision uint64
}

// Dialer is a dialer with its revision.
type Dialer struct {
	gateway.Dialer
	Revision uint64
}

// Provider is a provider with its secrets and revision; a managed one has
// revision 0.
type Provider struct {
	gateway.Provider
	Password   gateway.Secret
	PushSecret gateway.Secret
	Revision   uint64
}

// Catalog holds the definitions. It is safe for use by many goroutines.
type Catalog struct {
	store Store
	zone  *time.Location

	writing sync.Mutex // held by one change at a time, over its commit
	now     atomic.Pointer[state]
}

// state is everything that is defined; it never changes once it is published.
type state struct {
	campaigns map[string]Campaign
	dialers   map[string]Dialer
	providers map[string]Provider
	changed   chan struct{} // closed when another state takes its place
}

// Open reads the definitions. A stored provider that the configuration file names
// too is the file's.
func Open(o Options) (*Catalog, error) {
	c := &Catalog{store: o.Store, zone: o.Zone}
	if c.zone == nil {
		c.zone = time.UTC
	}
	s, err := load(o.Store)
	if err != nil {
		return nil, err
	}
	for _, p := range o.Managed {
		p.Managed, p.Revision = true, 0
		if p.Default {
			s.noDefault()
		}
		s.providers[p.Name] = p
	}
	c.now.Store(s)
	return c, nil
}

// Watch gives a channel that is closed at the next change.
func (c *Catalog) Watch() <-chan struct{} { return c.now.Load().changed }

// publish makes a changed state the present one.
func (c *Catalog) publish(change func(*state)) {
	before := c.now.Load()
	after := before.clone()
	change(after)
	c.now.Store(after)
	close(before.changed)
}

// told is the event of a change.
func told(kind, name, word string) spool.Change {
	return spool.Change{Event: gateway.EventCampaign, Body: gateway.CampaignEvent{Kind: kind, Name: name, Change: word}}
}
