package spool

import (
	"context"
	"time"

	"fieldpost/gateway"
)

// Blacklist lists a number, or changes who listed it and when. A zero At is now.
func (s *Spool) Blacklist(ctx context.Context, l Listed) error {
	if err := checkListed(&l); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		e, err := t.listing(l.Number, l.Campaign, l.OptOut)
		if err != nil {
			return err
		}
		fresh, err := t.list(e, addition{at: t.orNow(l.At), source: l.Source})
		if err != nil || !fresh {
			return err
		}
		return t.emit(gateway.EventBlacklist, gateway.BlacklistEvent{
			Number: string(l.Number), Campaign: l.Campaign, OptOut: l.OptOut, Source: l.Source, Listed: true,
		})
	})
}

// Unlist takes a number off the list of a campaign ("" = off the list for every
// campaign). An opt-out stays: only OptIn ends it, and Unlist says KindConflict
// where nothing but an opt-out is there. KindNotFound: nothing is there. The event
// names who did it, in at most 255 bytes.
func (s *Spool) Unlist(ctx context.Context, number gateway.Address, campaign, who string) error {
	return s.unlist(ctx, Listed{Number: number, Campaign: campaign, Source: who})
}

// OptIn ends a customer's opt-out, at the customer's own wish. KindNotFound: there
// is none for that campaign. The event names who says so, in at most 255 bytes.
func (s *Spool) OptIn(ctx context.Context, number gateway.Address, campaign, who string) error {
	return s.unlist(ctx, Listed{Number: number, Campaign: campaign, OptOut: true, Source: who})
}

func (s *Spool) unlist(ctx context.Context, l Listed) error {
	if err := checkListed(&l); err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		e, err := t.listing(l.Number, l.Campaign, l.OptOut)
		if err != nil {
			return err
		}
		was, err := t.unlist(e)
		if err != nil {
			return err
		}
		if !was {
			return t.notListed(e)
		}
		return t.emit(gateway.EventBlacklist, gateway.BlacklistEvent{
			Number: string(l.Number), Campaign: l.Campaign, OptOut: l.OptOut, Source: l.Source,
		})
	})
}

// notListed says why an entry cannot be taken away.
func (t *tx) notListed(e listing) error {
	v, err := viewBlack(t.b)
	if err != nil {
		return err
	}
	other, err := v.has(listing{e.number, e.scope ^ 1})
	switch {
	case err != nil:
		return err
	case other && e.optOut():
		return gateway.Errorf(gateway.KindConflict, "the site blocked this number, and the customer did not opt out: leave opt_in (--opt-in) away")
	case other:
		return gateway.Errorf(gateway.KindConflict, "the customer opted out: only the customer's own wish ends it, given as opt_in (--opt-in)")
	}
	return gateway.Errorf(gateway.KindNotFound, "the number is not on this list")
}

func checkListed(l *Listed) error {
	if _, ok := l.Number.Packed(); !ok {
		return errNumber(l.Number)
	}
	if len(l.Source) > maxSource {
		return gateway.Invalid("source", "has %d bytes; at most %d are kept", len(l.Source), maxSource)
	}
	return nil
}

func errNumber(a gateway.Address) error {
	return gateway.Invalid("number", "%s is neither an international number (+ and 7 to 15 digits) nor a short code", a.Masked())
}

// listing packs an entry; the campaign gets a lane where it has none yet.
func (t *tx) listing(number gateway.Address, campaign string, optOut bool) (listing, error) {
	n, ok := number.Packed()
	if !ok {
		return listing{}, errNumber(number)
	}
	if campaign == "" {
		return listing{n, scopeOf(0, optOut)}, nil
	}
	lane, err := t.lane(campaign)
	return listing{n, scopeOf(lane, optOut)}, err
}

// list puts an entry in the overlay and says whether it is new.
func (t *tx) list(l listing, a addition) (bool, error) {
	v, err := viewBlack(t.b)
	if err != nil {
		return false, err
	}
	was, err := v.has(l)
	if err != nil {
		return false, err
	}
	if was && a.imported {
		return false, nil // a list says nothing new about it: who listed it stays
	}
	v.st.edits++
	if !was {
		v.st.size++
	}
	a.edit = v.st.edits
	if err := v.unlisted.Delete(l.key()); err != nil {
		return false, err
	}
	if err := v.listed.Put(l.key(), a.encode()); err != nil {
		return false, err
	}
	return !was, t.edited(&v.st, l)
}

// unlist takes an entry away and says whether it was there.
func (t *tx) unlist(l listing) (bool, error) {
	v, err := viewBlack(t.b)
	if err != nil {
		return false, err
	}
	was, err := v.has(l)
	if err != nil || !was {
		return false, err
	}
	packed, err := v.packed(l)
	if err != nil {
		return false, err
	}
	v.st.edits++
	v.st.size--
	if err := v.listed.Delete(l.key()); err != nil {
		return false, err
	}
	// The packed list that is being built may hold it, whatever the present one does.
	if packed || v.st.building != 0 {
		if err := v.unlisted.Put(l.key(), u64(v.st.edits)); err != nil {
			return false, err
		}
	}
	return true, t.edited(&v.st, l)
}

// edited stores the state after an edit, and the entry for the swap to count when
// a packed list is being built.
func (t *tx) edited(st *blackState, l listing) error {
	if st.building != 0 {
		if err := t.bucket(bucketTouched).Put(l.key(), present); err != nil {
			return err
		}
	}
	return t.putBlack(st)
}

func (t *tx) putBlack(st *blackState) error {
	return t.bucket(bucketBlack).Put(stateKey, st.encode())
}

// orNow gives a time, or now where there is none.
func (t *tx) orNow(at time.Time) time.Time {
	if at.IsZero() {
		return t.now
	}
	return at
}
