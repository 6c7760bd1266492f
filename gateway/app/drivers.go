package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem"
	"fieldpost/modem/serial"
)

// devices turns the providers into the devices that the bank shall keep running.
// A provider that is turned off has none.
func (a *App) devices() []modem.Device {
	var all []modem.Device
	for _, p := range a.catalog.Providers() {
		if p.Disabled() {
			continue
		}
		switch p.Type {
		case gateway.TypeGSM:
			for _, port := range p.Ports {
				all = append(all, a.serialDevice(p, port))
			}
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
	o := serial.Options{
		Port: port, Provider: p.Name, Report: p.Report, Now: a.now, PINs: pins{a.spool}, Finder: a.finder,
		Logger: a.log.With("part", "serial", "channel", gateway.ChannelID(p.Name, port.Port)),
	}
	return modem.Device{
		Key:      key,
		Version:  fingerprint(p.Report, port),
		Provider: p.Name,
		Ports:    []int{port.Port},
		New:      func() (modem.Driver, error) { return serial.New(o) },
	}
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
