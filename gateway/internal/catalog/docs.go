package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// The kinds of document.
const (
	kindCampaign = "campaign"
	kindDialer   = "dialer"
	kindProvider = "provider"
)

// storedProvider is a provider as it is written: its secrets apart and in clear,
// since a gateway.Secret writes stars.
type storedProvider struct {
	gateway.Provider
	Password string         `json:"password,omitempty"`
	Push     string         `json:"push_secret,omitempty"`
	PINs     map[int]string `json:"pins,omitempty"` // by port
}

func load(store Store) (*state, error) {
	s := newState()
	err := each(store, kindCampaign, func(d spool.Doc, c gateway.Campaign) {
		s.campaigns[d.Name] = Campaign{Campaign: c, Revision: d.Revision}
	})
	if err != nil {
		return nil, err
	}
	err = each(store, kindDialer, func(d spool.Doc, dl gateway.Dialer) {
		s.dialers[d.Name] = Dialer{Dialer: dl, Revision: d.Revision}
	})
	if err != nil {
		return nil, err
	}
	err = each(store, kindProvider, func(d spool.Doc, p storedProvider) {
		s.providers[d.Name] = p.open(d.Revision)
	})
	return s, err
}

// each decodes the documents of a kind.
func each[T any](store Store, kind string, keep func(spool.Doc, T)) error {
	docs, err := store.Docs(kind)
	if err != nil {
		return err
	}
	for _, d := range docs {
		var v T
		if err := json.Unmarshal(d.Body, &v); err != nil {
			return fmt.Errorf("read the stored %s %s: %w", kind, d.Name, err)
		}
		keep(d, v)
	}
	return nil
}

// put writes a definition, with the event that says what was done, and gives its new
// revision. It is not given up when the caller is: whether it happened must be known.
func (c *Catalog) put(ctx context.Context, kind, name string, revision uint64, v any, word string) (uint64, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("write %s %s: %w", kind, name, err)
	}
	ch := told(kind, name, word)
	if kind != kindProvider {
		ch.Lane = name
	}
	d, err := c.store.PutDocTold(context.WithoutCancel(ctx), spool.Doc{Kind: kind, Name: name, Revision: revision, Body: body}, ch)
	return d.Revision, err
}

// remove deletes a definition, with the event that says so; lane is the queue that
// must be empty, "" = none, and shared that another definition sends from it.
func (c *Catalog) remove(ctx context.Context, kind, name, lane string, shared bool) error {
	ch := told(kind, name, "deleted")
	ch.Lane, ch.Open = lane, shared
	return c.store.DeleteDocTold(context.WithoutCancel(ctx), kind, name, ch)
}

// seal makes a provider ready to be written.
func (p Provider) seal() storedProvider {
	p = p.clone()
	s := storedProvider{Provider: p.Provider, Password: string(p.Password), Push: string(p.PushSecret), PINs: map[int]string{}}
	for i := range s.Ports {
		if q := &s.Ports[i]; q.PIN != "" {
			s.PINs[q.Port], q.PIN = string(q.PIN), ""
		}
	}
	return s
}

// open undoes seal.
func (s storedProvider) open(revision uint64) Provider {
	p := Provider{Provider: s.Provider, Password: gateway.Secret(s.Password), PushSecret: gateway.Secret(s.Push), Revision: revision}
	for i := range p.Ports {
		p.Ports[i].PIN = gateway.Secret(s.PINs[p.Ports[i].Port])
	}
	return p
}

// changeWord says what a put did.
func changeWord(revision uint64) string {
	if revision == 0 {
		return "created"
	}
	return "changed"
}

// fresh refuses a put over another revision than the present one, before the disk
// is asked: the text names what is there.
func fresh(kind, name string, given, present uint64) error {
	switch {
	case given == present:
		return nil
	case given == 0:
		e := gateway.Errorf(gateway.KindConflict, "a %s is named %s already", kind, name)
		e.Field = "name"
		return e
	case present == 0:
		return notFound(kind, name)
	}
	e := gateway.Errorf(gateway.KindConflict, "%s %s was changed meanwhile: it has revision %d, not %d", kind, name, present, given)
	e.Field = "revision"
	return e
}
