package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem"
	"fieldpost/modem/dinstar"
	"fieldpost/spool"
)

// dinstarDevice is the gateway of a DinstarWeb provider. It tells its ports itself.
func (a *App) dinstarDevice(p catalog.Provider) modem.Device {
	o := dinstar.Options{
		Provider: p.Name, URL: p.URL, User: p.User, Password: p.Password, Report: p.Report,
		Auth: dinstar.Auth(p.Auth), Certificate: p.Certificate, Ports: usePorts(p.UsePorts), Zone: a.deviceZone(p.DeviceZone),
		Marks: inboxes{a.spool}, Now: a.now, Logger: a.log.With("part", "dinstar"), Every: a.polls, Pushes: p.Pushes(),
	}
	return modem.Device{
		Key:      p.Endpoint(),
		Version:  dinstarVersion(&p),
		Provider: p.Name,
		Ports:    o.Ports,
		New: func() (modem.Driver, error) {
			d, err := dinstar.New(o)
			if err == nil && p.Pushes() {
				a.expectPushes(p, d)
			}
			return d, err
		},
	}
}

// dinstarVersion changes when the driver of a provider must be made anew. It is hashed: a
// password is in it. The secret and the networks of pushes are asked for at each push.
func dinstarVersion(p *catalog.Provider) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %t %q %q %q %q %q %q %q", p.Type, p.Report, p.URL, p.User, []byte(p.Password),
		p.Auth, p.Certificate, p.UsePorts, p.DeviceZone))
	return hex.EncodeToString(sum[:])
}

// expectPushes has the pushes of a provider's gateway reach its driver, and says so where none can
// come: by default the API is for callers on the box alone.
func (a *App) expectPushes(p catalog.Provider, d *dinstar.Driver) {
	a.hooks.connect(p.Name, d)
	elsewhere := func(n netip.Prefix) bool { return !n.Addr().IsLoopback() }
	open := func(l net.Listener) bool { return origin(l.Addr()).IsValid() }
	if slices.ContainsFunc(p.PushNetworks(), elsewhere) && !slices.ContainsFunc(a.listeners, open) {
		a.log.Warn("the gateway cannot push: set http.listen to an address that it reaches", "provider", p.Name, "listen", a.Addresses())
	}
}

// usePorts reads the ports of a gateway that a provider uses; nil = all of them.
func usePorts(list string) []int {
	ports, err := gateway.ParseDialString(list)
	if err != nil { // absent: the catalog and the configuration refuse any other fault
		return nil
	}
	return ports
}

// deviceZone gives the zone of a gateway's clock: by default the site's, since who set the clock
// stood beside the gateway.
func (a *App) deviceZone(name string) *time.Location {
	if zone, err := time.LoadLocation(name); name != "" && err == nil {
		return zone
	}
	return a.cfg.Site.Zone
}

// inboxKind is the kind of the documents that remember how far inboxes were read.
const inboxKind = "dinstar-inbox"

// inboxes remembers on disk how far the inbox of a gateway was read.
type inboxes struct{ *spool.Spool }

// Mark gives the newest message that was stored.
func (i inboxes) Mark(_ context.Context, name string) (dinstar.Mark, error) {
	_, m, err := i.known(name)
	return m, err
}

// SetMark notes it and returns when that is on disk.
func (i inboxes) SetMark(ctx context.Context, name string, m dinstar.Mark) error {
	d, _, err := i.known(name)
	if err != nil {
		return err
	}
	if d.Body, err = json.Marshal(m); err != nil {
		return err
	}
	_, err = i.PutDoc(ctx, d)
	return err
}

func (i inboxes) known(name string) (d spool.Doc, m dinstar.Mark, err error) {
	d, err = i.Doc(inboxKind, name)
	if gateway.KindOf(err) == gateway.KindNotFound {
		return spool.Doc{Kind: inboxKind, Name: name}, m, nil
	}
	if err == nil {
		err = json.Unmarshal(d.Body, &m)
	}
	return d, m, err
}
