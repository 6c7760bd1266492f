package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// pinKind is the kind of the documents that remember which PINs were tried.
const pinKind = "pin-tried"

// pins remembers on disk which PIN was tried on which SIM: three wrong ones lock
// the card, whatever restarts in between. It holds hashes, never a PIN.
type pins struct{ *spool.Spool }

// Tried says that this PIN was tried on this SIM and not accepted since. What
// cannot be read counts as tried: a locked SIM costs a visit, a late one a look.
func (p pins) Tried(iccid string, hash [32]byte) bool {
	_, known, err := p.known(iccid)
	return err != nil || slices.Contains(known, hex.EncodeToString(hash[:]))
}

// Remember notes a try and returns when that is on disk.
func (p pins) Remember(ctx context.Context, iccid string, hash [32]byte) error {
	return p.change(ctx, iccid, func(known []string) []string {
		return append(known, hex.EncodeToString(hash[:]))
	})
}

// Forget takes a try back: the SIM accepted the PIN.
func (p pins) Forget(ctx context.Context, iccid string, hash [32]byte) error {
	return p.change(ctx, iccid, func(known []string) []string {
		return slices.DeleteFunc(known, func(h string) bool { return h == hex.EncodeToString(hash[:]) })
	})
}

func (p pins) known(iccid string) (spool.Doc, []string, error) {
	d, err := p.Doc(pinKind, iccid)
	if gateway.KindOf(err) == gateway.KindNotFound {
		return spool.Doc{Kind: pinKind, Name: iccid}, nil, nil
	}
	var known []string
	if err == nil {
		err = json.Unmarshal(d.Body, &known)
	}
	return d, known, err
}

func (p pins) change(ctx context.Context, iccid string, f func([]string) []string) error {
	d, known, err := p.known(iccid)
	if err != nil {
		return err
	}
	if d.Body, err = json.Marshal(f(known)); err != nil {
		return err
	}
	_, err = p.PutDoc(ctx, d)
	return err
}
