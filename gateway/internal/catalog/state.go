package catalog

import (
	"fmt"
	"maps"
	"slices"

	"fieldpost/gateway"
)

func newState() *state {
	return &state{
		campaigns: map[string]Campaign{},
		dialers:   map[string]Dialer{},
		providers: map[string]Provider{},
		changed:   make(chan struct{}),
	}
}

func (s *state) clone() *state {
	return &state{
		campaigns: maps.Clone(s.campaigns),
		dialers:   maps.Clone(s.dialers),
		providers: maps.Clone(s.providers),
		changed:   make(chan struct{}),
	}
}

// defaultProvider gives the provider that carries what names none; "" = there is none.
func (s *state) defaultProvider() string {
	for name, p := range s.providers {
		if p.Default {
			return name
		}
	}
	return ""
}

// rival refuses a provider with a modem or a gateway that another one drives: a device
// serves one provider at a time.
func (s *state) rival(p *Provider) error {
	if p.Disabled() {
		return nil
	}
	for name, other := range s.providers {
		if name == p.Name || other.Disabled() {
			continue
		}
		if p.Shares(&other.Provider) {
			e := gateway.Errorf(gateway.KindConflict, "provider %s has %s already: take it away from one of them", name, other.Endpoint())
			e.Field = "url"
			return e
		}
		for i, q := range p.Ports {
			for _, o := range other.Ports {
				if q.Device == o.Device && q.IMEI == o.IMEI {
					e := gateway.Errorf(gateway.KindConflict, "it is port %d of provider %s already", o.Port, name)
					e.Field = fmt.Sprintf("port[%d].%s", i, identity(q))
					return e
				}
			}
		}
	}
	return nil
}

// identity names the key that says which modem a port has.
func identity(q gateway.Port) string {
	if q.Device == "" {
		return "imei"
	}
	return "device"
}

// noDefault takes the default flag from whoever has it.
func (s *state) noDefault() {
	for name, p := range s.providers {
		if p.Default {
			p.Default = false
			s.providers[name] = p
		}
	}
}

// users lists what sends through a provider, in words.
func (s *state) users(provider string) []string {
	var by []string
	for name, c := range s.campaigns {
		if c.Provider == provider {
			by = append(by, "campaign "+name)
		}
	}
	for name, d := range s.dialers {
		if d.Provider == provider {
			by = append(by, "dialer "+name)
		}
	}
	slices.Sort(by)
	return by
}

// sorted gives copies of a map's values by name.
func sorted[T any](m map[string]T, copied func(T) T) []T {
	all := make([]T, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, copied(m[name]))
	}
	return all
}

func (c Campaign) clone() Campaign {
	c.Schedule = slices.Clone(c.Schedule)
	return c
}

func (d Dialer) clone() Dialer {
	d.Schedule = slices.Clone(d.Schedule)
	return d
}

func (p Provider) clone() Provider {
	p.Ports, p.PushFrom = slices.Clone(p.Ports), slices.Clone(p.PushFrom)
	if p.Enabled != nil {
		on := *p.Enabled
		p.Enabled = &on
	}
	return p
}

func notFound(kind, name string) error {
	return gateway.Errorf(gateway.KindNotFound, "no %s is named %q", kind, clip(name))
}

// clip bounds what an error repeats of its input.
func clip(s string) string {
	return s[:min(len(s), gateway.MaxName)]
}
