package config

import (
	"errors"
	"math"
	"slices"
	"strings"

	"fieldpost/gateway"
)

// providers reads [[provider]]; all of them are managed by the file.
func (r *reader) providers(tables []*table) []Provider {
	var (
		all   []Provider
		names = map[string]bool{}
		def   string
	)
	for _, t := range tables {
		p := r.provider(t)
		if p.Name != "" && names[p.Name] {
			t.add(t.at("name"), "another provider is named %s already", p.Name)
		}
		names[p.Name] = true
		if p.Default && def != "" {
			t.add(t.at("default"), "%s is the default provider already: at most one can be", def)
		}
		if p.Default {
			def = p.Name
		}
		if i := slices.IndexFunc(all, func(o Provider) bool { return !o.Disabled() && !p.Disabled() && o.Shares(&p.Provider) }); i >= 0 {
			t.add(t.at("url"), "provider %s has %s already: a gateway serves one provider", all[i].Name, all[i].Endpoint())
		}
		all = append(all, p)
	}
	return all
}

func (r *reader) provider(t *table) Provider {
	p := Provider{Provider: gateway.Provider{
		Name:    t.text("name", ""),
		Type:    t.text("type", ""),
		URL:     t.text("url", ""),
		User:    t.text("user", ""),
		Sender:  t.text("sender", ""),
		Pattern: t.text("pattern", ""),
		Default: t.flag("default", false),
		Rate:    t.number("rate", 0, 0, gateway.MaxProviderRate),
		Report:  t.flag("report", false),
		Limits:  r.limits(t.sub("limits")),
		Choice:  t.text("choice", ""),
		Managed: true,

		Auth:        t.text("auth", ""),
		UsePorts:    t.text("use_ports", ""),
		DeviceZone:  t.text("device_zone", ""),
		Certificate: t.text("certificate", ""),
		PortControl: t.flag("port_control", false),
		PushFrom:    t.list("push_from", nil),
	}}
	enabled := t.flag("enabled", true)
	p.Enabled = &enabled
	p.Password = t.secret("password_file", r.places)
	p.PushSecret = t.secret("push_secret_file", r.places)
	for _, q := range t.subs("port") {
		p.Ports = append(p.Ports, r.port(q))
	}
	r.check(t, &p)
	t.done()
	return p
}

func (r *reader) port(t *table) gateway.Port {
	q := gateway.Port{
		Port:   int(t.integer("port", 0, 0, gateway.MaxPort)),
		Device: t.text("device", ""),
		IMEI:   t.text("imei", ""),
		Baud:   int(t.integer("baud", 0, 0, math.MaxInt32)),
		PIN:    t.secret("pin_file", r.places),
		SMSC:   t.text("smsc", ""),
	}
	if !t.has("port") {
		t.add(t.at("port"), "is missing: the slot of the modem, 0 to %d", gateway.MaxPort)
	}
	t.done()
	return q
}

func (r *reader) limits(t *table) gateway.Limits {
	count := func(key string) uint32 { return uint32(t.integer(key, 0, 0, math.MaxUint32)) }
	l := gateway.Limits{
		PerMinute:          count("per_minute"),
		PerHour:            count("per_hour"),
		PerDay:             count("per_day"),
		PerMonth:           count("per_month"),
		RecipientsPerMonth: count("recipients_per_month"),
	}
	t.done()
	return l
}

// check notes what gateway finds wrong with a provider, at the key at fault. A
// key that was wrong already is not judged by its default.
func (r *reader) check(t *table, p *Provider) {
	for _, e := range p.Check() {
		path := t.at(keyPath(e.Field))
		if r.faulty(path) {
			continue
		}
		text := e.Text
		if e.Field == "type" {
			text += meant(p.Type)
		}
		t.add(path, "%s", text)
	}
	tp, ok := gateway.LookupProviderType(p.Type)
	if !ok || !tp.Usable {
		return
	}
	for _, secret := range []string{"password", "push_secret"} {
		if t.has(secret+"_file") && !slices.Contains(tp.Fields, secret) {
			t.add(t.at(secret+"_file"), "a %s provider has no %s", tp.Name, secret)
		}
	}
	r.checkSecret(t, "password_file", p.CheckPassword(p.Password))
	r.checkSecret(t, "push_secret_file", p.CheckPushSecret(p.PushSecret))
}

// checkSecret notes what is wrong with a secret, at the key that names its file.
func (r *reader) checkSecret(t *table, key string, e *gateway.Error) {
	if e != nil && !r.faulty(t.at(key)) {
		t.add(t.at(key), "%s", e.Text)
	}
}

// meant suggests the type that a misspelt one is near to.
func meant(name string) string {
	var names []string
	for _, tp := range gateway.ProviderTypes() {
		names = append(names, tp.Name)
	}
	if k := nearest(name, names); k != "" && k != name {
		return ": did you mean " + k + "?"
	}
	return ""
}

// keyPath turns a field of gateway.Provider, port[1].pin, into its path in the
// file, port.1.pin_file.
func keyPath(field string) string {
	switch {
	case field == "ports":
		return "port"
	case strings.HasSuffix(field, ".pin"):
		field += "_file"
	}
	return strings.NewReplacer("[", ".", "]", "").Replace(field)
}

// textOf gives the text of a fault of the house without its field.
func textOf(err error) string {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Text
	}
	return err.Error()
}
