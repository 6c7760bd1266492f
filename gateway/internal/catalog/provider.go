package catalog

import (
	"context"
	"strings"

	"fieldpost/gateway"
)

// Providers lists the providers by name.
func (c *Catalog) Providers() []Provider {
	return sorted(c.now.Load().providers, Provider.clone)
}

// Provider gives one provider; KindNotFound.
func (c *Catalog) Provider(name string) (Provider, error) {
	p, ok := c.now.Load().providers[name]
	if !ok {
		return Provider{}, notFound(kindProvider, name)
	}
	return p.clone(), nil
}

// PutProvider makes or replaces a provider. A secret that is absent, or stars, stays
// as it is; a password is sent to the address that it was given for only, so that
// nobody reads it by giving another one. KindInvalid names the field; KindConflict when the name is
// taken, the revision is another, another provider is the default or has its gateway or one
// of its modems, or the configuration file manages it.
func (c *Catalog) PutProvider(ctx context.Context, p Provider) (Provider, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	p = p.clone()
	old, there := s.providers[p.Name]
	if there && old.Managed {
		return Provider{}, managed(p.Name)
	}
	p.Managed = false
	elsewhere := p.carriesOff(&old)
	p.keepSecrets(old)
	if errs := p.Check(); len(errs) > 0 {
		return Provider{}, errs[0]
	}
	if elsewhere {
		return Provider{}, gateway.Invalid("password", "is wanted again: the stored one was given for %s", old.Endpoint())
	}
	if e := p.CheckPassword(p.Password); e != nil {
		return Provider{}, e
	}
	if e := p.CheckPushSecret(p.PushSecret); e != nil {
		return Provider{}, e
	}
	if err := fresh(kindProvider, p.Name, p.Revision, old.Revision); err != nil {
		return Provider{}, err
	}
	if def := s.defaultProvider(); p.Default && def != "" && def != p.Name {
		e := gateway.Errorf(gateway.KindConflict, "provider %s is the default already: at most one can be", def)
		e.Field = "default"
		return Provider{}, e
	}
	if err := s.rival(&p); err != nil {
		return Provider{}, err
	}
	word := changeWord(p.Revision)
	rev, err := c.put(ctx, kindProvider, p.Name, p.Revision, p.seal(), word)
	if err != nil {
		return Provider{}, err
	}
	p.Revision = rev
	c.publish(func(s *state) { s.providers[p.Name] = p })
	return p.clone(), nil
}

// DeleteProvider deletes a provider; KindConflict while a campaign or dialer uses
// it, while confirmations of opt-outs wait for it, or when the configuration file
// manages it.
func (c *Catalog) DeleteProvider(ctx context.Context, name string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	p, ok := s.providers[name]
	switch {
	case !ok:
		return notFound(kindProvider, name)
	case p.Managed:
		return managed(name)
	}
	if by := s.users(name); len(by) > 0 {
		return gateway.Errorf(gateway.KindConflict, "provider %s is used by %s: give them another provider first", name, listed(by))
	}
	// Its lane is not closed: the file may name the provider again, and opens none.
	err := c.remove(ctx, kindProvider, name, OwnLane(name), true)
	if gateway.KindOf(err) == gateway.KindConflict {
		return gateway.Errorf(gateway.KindConflict,
			"confirmations of opt-outs wait for provider %s: let them be sent; what cannot be ends by itself when it is too old", name)
	}
	if err != nil {
		return err
	}
	c.publish(func(s *state) { delete(s.providers, name) })
	return nil
}

// carriesOff says that the stored password would be sent to another address than the
// one that it was given for. A gateway that dials in is sent none.
func (p *Provider) carriesOff(old *Provider) bool {
	return unsaid(p.Password) && old.Password != "" && p.Type != gateway.TypeDinstar && p.Endpoint() != old.Endpoint()
}

// keepSecrets takes from the provider before what the new one does not say.
func (p *Provider) keepSecrets(old Provider) {
	if unsaid(p.Password) {
		p.Password = old.Password
	}
	if unsaid(p.PushSecret) {
		p.PushSecret = ""
		if p.Pushes() { // the type may be another than before
			p.PushSecret = old.PushSecret
		}
	}
	pins := map[int]gateway.Secret{}
	for _, q := range old.Ports {
		pins[q.Port] = q.PIN
	}
	for i := range p.Ports {
		if q := &p.Ports[i]; unsaid(q.PIN) {
			q.PIN = pins[q.Port]
		}
	}
}

// unsaid says that a caller sent back what it was shown.
func unsaid(s gateway.Secret) bool { return s == "" || string(s) == "***" }

func managed(name string) error {
	return gateway.Errorf(gateway.KindConflict, "provider %s is written in the configuration file: change it there", name)
}

// listed joins at most five words.
func listed(words []string) string {
	const most = 5
	if len(words) > most {
		return strings.Join(words[:most], ", ") + " and others"
	}
	return strings.Join(words, ", ")
}
