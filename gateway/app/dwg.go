package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem"
	"fieldpost/modem/dwg"
)

// dwgDevice is the gateway of a Dinstar provider, which dials in. It tells its ports itself.
func (a *App) dwgDevice(p catalog.Provider) modem.Device {
	o := dwg.Options{
		URL: p.URL, User: p.User, Password: p.Password, Now: a.now,
		Logger: a.log.With("part", "dwg", "provider", p.Name),
	}
	// Hashed: a password is in it.
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", p.URL, p.User, []byte(p.Password)))
	return modem.Device{
		Key:      p.Endpoint(),
		Version:  hex.EncodeToString(sum[:]),
		Provider: p.Name,
		New:      func() (modem.Driver, error) { return dwg.New(o) },
	}
}
