package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem"
	"fieldpost/modem/serial"
)

// devices turns the providers into the devices that the bank shall keep running.
// A provider that is turned off has none.
func (a *App) devices() []modem.Device {
	var all []modem.Device
	owner := map[string]string{} // by key
	add := func(d modem.Device) {
		if first, taken := owner[d.Key]; taken {
			d = denied(d, first)
		}
		owner[d.Key] = d.Provider
		all = append(all, d)
	}
	for _, p := range byOrigin(a.catalog.Providers()) {
		if p.Disabled() {
			continue
		}
		switch p.Type {
		case gateway.TypeGSM:
			for _, port := range p.Ports {
				add(a.serialDevice(p, port))
			}
		case gateway.TypeDinstarWeb, gateway.TypeDinstarWebPush:
			add(a.dinstarDevice(p))
		case gateway.TypeDinstar:
			add(a.dwgDevice(p))
		default:
			// The catalog and the configuration refuse a type without a driver.
			a.log.Error("no driver for this type of provider", "provider", p.Name, "type", p.Type)
		}
	}
	return all
}

// serialDevice is one modem of a GSM provider.
func (a *App) serialDevice(p catalog.Provider, port gateway.Port) modem.Device {
	key := port.Device
	if key == "" {
		key = "imei:" + port.IMEI
	}
	id := gateway.ChannelID(p.Name, port.Port)
	o := serial.Options{
		Port: port, Provider: p.Name, Report: p.Report, Now: a.now, PINs: pins{a.spool}, Finder: a.finder,
		Logger: a.log.With("part", "serial", "channel", id),
		Alarm:  func(reason string) { a.alarm("channel " + id + ": " + reason) },
	}
	return modem.Device{
		Key:      key,
		Version:  fingerprint(p.Report, port),
		Provider: p.Name,
		Ports:    []int{port.Port},
		New:      func() (modem.Driver, error) { return serial.New(o) },
	}
}

// byOrigin puts the providers of the file first: a modem that the file gives to one
// of them and the spool to another is the former's.
func byOrigin(all []catalog.Provider) []catalog.Provider {
	slices.SortStableFunc(all, func(p, q catalog.Provider) int {
		switch {
		case p.Managed == q.Managed:
			return 0
		case p.Managed:
			return -1
		}
		return 1
	})
	return all
}

// denied is a device that another provider drives: its channel says so, and the
// others work on.
func denied(d modem.Device, by string) modem.Device {
	device := d.Key
	if d.Ports == nil {
		d.Ports = []int{0} // a gateway whose ports nobody asked for
	}
	d.Key = fmt.Sprintf("%s for %s", device, gateway.ChannelID(d.Provider, d.Ports[0]))
	d.Version = by
	d.New = func() (modem.Driver, error) {
		return nil, gateway.Errorf(gateway.KindConflict, "%s: provider %s has this device: take it away from one of them", device, by)
	}
	return d
}

// fingerprint changes when a driver must be made anew. It is hashed: a PIN is in it.
func fingerprint(report bool, port gateway.Port) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%t %d %q %q %d %q %q",
		report, port.Port, port.Device, port.IMEI, port.Baud, []byte(port.PIN), port.SMSC))
	return hex.EncodeToString(sum[:])
}

// watchDefinitions gives the bank the new picture whenever a definition changes.
func (a *App) watchDefinitions(ctx context.Context) error {
	for {
		changed := a.catalog.Watch()
		if err := a.bank.Set(a.devices()); err != nil {
			a.log.Error("the channels stay as they were", "error", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
