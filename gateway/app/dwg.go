package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/modem"
	"fieldpost/modem/dwg"
)

// dwgDevice is the gateway of a Dinstar provider, which dials in. It tells its ports itself.
func (a *App) dwgDevice(p catalog.Provider) modem.Device {
	o := dwg.Options{
		URL: p.URL, User: p.User, Password: p.Password, Now: a.now,
		Logger: a.log.With("part", "dwg", "provider", p.Name), Owed: a.owedTo(p.Name),
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

// doubtPage is how many doubts are read at a time.
const doubtPage = 512

// owedTo gives what the gateway of a provider may still tell the results of, from what is on disk:
// the protocol names a result by port and number alone.
func (a *App) owedTo(provider string) func(until time.Duration) []dwg.Owed {
	return func(until time.Duration) (owed []dwg.Owed) {
		since := a.now().Add(-until)
		for after := uint64(0); ; {
			doubts, err := a.spool.Doubts(after, doubtPage)
			if err != nil {
				a.log.Warn("what a gateway owes is not known", "provider", provider, "error", err)
			}
			if len(doubts) == 0 {
				return owed
			}
			for _, d := range doubts {
				after = d.IDM
				if name, port, ok := gateway.SplitChannelID(d.Channel); ok && name == provider && d.At.After(since) {
					owed = append(owed, dwg.Owed{Port: port, To: d.To})
				}
			}
		}
	}
}
