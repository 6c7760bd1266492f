package config

import (
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"fieldpost/gateway"
)

// Default gives the values of the keys that a file may leave out.
func Default() *Config {
	return &Config{
		Site:    Site{Zone: time.Local},
		Storage: Storage{Path: "/var/lib/fieldpost/spool.db", MaxSize: 4 << 30, KeepEvents: 100_000},
		HTTP: HTTP{
			Listen:  []string{"127.0.0.1:8080"},
			Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
			MaxBody: 1 << 20,
			MaxBase: 1 << 30,
			Rate:    0,
			Burst:   100,
		},
		Hub: Hub{KeepAlive: 30 * time.Second},
		Log: Log{Level: "info", Format: "text"},
		Sending: Sending{
			MaxSegments: 6,
			Attempts:    5,
			ResendAfter: 10 * time.Minute,
			ValidFor:    ValidFor{Single: 24 * time.Hour, Base: 7 * day},
		},
		Inbound: Inbound{IncompleteAfter: 6 * time.Hour},
		OptOut:  OptOut{Enabled: true, Languages: gateway.WishLanguages()},
	}
}

// reader turns a tree into a Config.
type reader struct {
	*table
	places places
}

func (r *reader) config() *Config {
	c := Default()
	r.get("version")
	r.site(r.sub("site"), &c.Site)
	r.storage(r.sub("storage"), &c.Storage)
	r.http(r.sub("http"), &c.HTTP)
	r.hub(r.sub("hub"), &c.Hub)
	r.log(r.sub("log"), &c.Log)
	r.sending(r.sub("sending"), &c.Sending)
	r.inbound(r.sub("inbound"), &c.Inbound)
	r.optOut(r.sub("opt_out"), &c.OptOut, c.Sending.MaxSegments)
	c.Providers = r.providers(r.subs("provider"))
	c.Operators = r.operators(r.subs("operator"))
	r.cards(r.sub("sims"), &c.Cards)
	c.SIMs = r.sims(r.subs("sim"), c.Operators)
	r.done()
	return c
}

func (r *reader) site(t *table, s *Site) {
	s.ID = t.text("id", "")
	if s.ID == "" {
		t.add(t.at("id"), `is missing: a name for this box, such as "branch-12"`)
	} else if err := gateway.CheckName("id", s.ID); err != nil {
		t.add(t.at("id"), "%s", textOf(err))
	}
	s.Region = t.text("region", "")
	if len(s.Region) != 2 || strings.Trim(s.Region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		t.add(t.at("region"), `must be the two capital letters of the country whose numbers are written without a country code, such as "UY"`)
	} else if phonenumbers.GetCountryCodeForRegion(s.Region) == 0 {
		t.add(t.at("region"), "%q is no country with a numbering plan of its own", s.Region)
	}
	if name := t.text("time_zone", ""); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.add(t.at("time_zone"), `%q is no time zone: write it as "America/Montevideo"`, name)
		} else {
			s.Zone = zone
		}
	}
	t.done()
}

func (r *reader) storage(t *table, s *Storage) {
	s.Path = r.places.path(t.text("path", s.Path))
	if s.Path == "" {
		t.add(t.at("path"), "must name the spool file")
	}
	s.MaxSize = t.size("max_size", s.MaxSize, 64<<20, 1<<40)
	s.KeepEvents = int(t.integer("keep_events", int64(s.KeepEvents), 1000, math.MaxInt32))
	t.done()
}

func (r *reader) http(t *table, h *HTTP) {
	h.Listen = t.list("listen", h.Listen)
	for i, at := range h.Listen {
		if !listenable(at) {
			t.add(t.at("listen."+strconv.Itoa(i)), `%q is no address to listen on: write host:port, such as "127.0.0.1:8080" or ":8080"`, at)
		} else if slices.Contains(h.Listen[:i], at) {
			t.add(t.at("listen."+strconv.Itoa(i)), "%q is there twice", at)
		}
	}
	if len(h.Listen) == 0 {
		t.add(t.at("listen"), "must name at least one address")
	}
	h.Trusted = r.prefixes(t, "trusted", h.Trusted)
	h.MaxBody = t.size("max_body", h.MaxBody, 4<<10, 1<<30)
	h.MaxBase = t.size("max_base", h.MaxBase, 1<<20, 1<<40)
	h.Rate = t.number("rate", h.Rate, 0, 1e6)
	h.Burst = int(t.integer("burst", int64(h.Burst), 1, 1e6))
	t.done()
}

// prefixes reads networks; a single address is a network of one.
func (r *reader) prefixes(t *table, key string, def []netip.Prefix) []netip.Prefix {
	if !t.has(key) {
		t.get(key)
		return def
	}
	var all []netip.Prefix
	for i, s := range t.list(key, nil) {
		p, err := gateway.ParseNetwork(s)
		if err != nil {
			t.add(t.at(key+"."+strconv.Itoa(i)), `%q is no network: write it as "192.0.2.0/24"`, s)
			continue
		}
		all = append(all, p)
	}
	return all
}

func (r *reader) hub(t *table, h *Hub) {
	h.Broker = t.text("broker", "")
	if h.Broker != "" && !brokerURL(h.Broker) {
		t.add(t.at("broker"), `%q is no broker: write it as "tls://hub.example.com:8883"`, h.Broker)
	}
	if h.Broker == "" && len(t.keys) > 0 {
		t.add(t.at("broker"), `is missing: the address of the hub's broker, such as "tls://hub.example.com:8883"`)
	}
	h.User = t.text("user", "")
	h.Password = t.secret("password_file", r.places)
	h.CAFile = r.places.path(t.text("ca_file", ""))
	h.CertFile = r.places.path(t.text("cert_file", ""))
	h.KeyFile = r.places.path(t.text("key_file", ""))
	if (h.CertFile == "") != (h.KeyFile == "") {
		t.add(t.at("cert_file"), "cert_file and key_file go together")
	}
	h.KeepAlive = t.duration("keep_alive", h.KeepAlive, 5*time.Second, time.Hour)
	t.done()
}

func (r *reader) log(t *table, l *Log) {
	l.Level = t.choice("level", l.Level, "debug", "info", "warn", "error")
	l.Format = t.choice("format", l.Format, "text", "json")
	t.done()
}

func (r *reader) sending(t *table, s *Sending) {
	s.MaxSegments = int(t.integer("max_segments", int64(s.MaxSegments), 1, 10))
	s.Attempts = int(t.integer("attempts", int64(s.Attempts), 1, 100))
	s.ResendAfter = t.duration("resend_after", s.ResendAfter, time.Minute, 7*day)
	v := t.sub("valid_for")
	s.ValidFor.Single = v.duration("single", s.ValidFor.Single, 0, 365*day)
	s.ValidFor.Base = v.duration("base", s.ValidFor.Base, 0, 365*day)
	v.done()
	t.done()
}

// listenable says that an address is host:port with a port number.
func listenable(at string) bool {
	host, port, err := net.SplitHostPort(at)
	if err != nil || strings.ContainsAny(host, " /") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// brokerURL says that an address has a scheme of MQTT and a host.
func brokerURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && u.User == nil &&
		slices.Contains([]string{"tcp", "mqtt", "tls", "ssl", "mqtts", "ws", "wss"}, u.Scheme)
}
