package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

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
		Marks: inboxes{a.spool}, Now: a.now, Logger: a.log.With("part", "dinstar"),
	}
	// Hashed: a password is in it.
	sum := sha256.Sum256(fmt.Appendf(nil, "%t %q %q %q", p.Report, p.URL, p.User, []byte(p.Password)))
	return modem.Device{
		Key:      strings.ToLower(strings.TrimSuffix(p.URL, "/")),
		Version:  hex.EncodeToString(sum[:]),
		Provider: p.Name,
		New:      func() (modem.Driver, error) { return dinstar.New(o) },
	}
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
