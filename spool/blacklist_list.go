package spool

import (
	"encoding/hex"
	"strings"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// ListBlacklist gives the entries whose number begins with prefix ("" = all, "+598"
// or "598" = the numbers of that country and the short codes that begin so), in the
// order of their length and digits. cursor is "" for the first page and what the
// page before gave for the next; "" after the last. limit is 1 to 1000; 0 = 100.
func (s *Spool) ListBlacklist(prefix, cursor string, limit int) ([]Listed, string, error) {
	limit, err := pageLimit(limit)
	if err != nil {
		return nil, "", err
	}
	ranges, err := prefixRanges(prefix)
	if err != nil {
		return nil, "", err
	}
	var after listing
	if cursor != "" {
		k, err := hex.DecodeString(cursor)
		l, ok := parseListing(k)
		if err != nil || !ok {
			return nil, "", errCursor()
		}
		after = l
	}
	var out []Listed
	next := ""
	err = s.view(func(b *bbolt.Tx) error {
		v, err := viewBlack(b)
		if err != nil {
			return err
		}
		// One more than asked for tells whether there is a next page.
		rows, err := v.page(ranges, after, cursor != "", limit+1)
		if len(rows) > limit {
			rows = rows[:limit]
			next = hex.EncodeToString(rows[limit-1].key())
		}
		name := s.laneNamer(b)
		for _, r := range rows {
			out = append(out, r.entry(name))
		}
		return err
	})
	return out, next, err
}

// row is one entry with what the overlay knows of it.
type row struct {
	listing
	addition
}

func (r row) entry(name func(uint32) (string, bool)) Listed {
	l := Listed{Number: gateway.Unpack(r.number), OptOut: r.optOut(), Source: r.source, At: r.at}
	if r.lane() != 0 {
		l.Campaign, _ = name(r.lane())
	}
	return l
}

// page gathers up to limit entries of the ranges, behind after when begun.
func (v *blackView) page(ranges []numberRange, after listing, begun bool, limit int) ([]row, error) {
	var rows []row
	for _, r := range ranges {
		from := listing{number: r.from}
		if begun && after.compare(from) >= 0 {
			if from = after; from.number > r.to {
				continue
			}
		}
		each := v.from(from)
		for len(rows) < limit {
			at, ok, err := each()
			if err != nil {
				return nil, err
			}
			if !ok || at.number > r.to {
				break
			}
			if !begun || at.listing != after {
				rows = append(rows, at)
			}
		}
	}
	return rows, nil
}

// importedSource is the source of an entry of the packed list.
const importedSource = "import"

// from gives the entries in force from one on, in order.
func (v *blackView) from(l listing) func() (row, bool, error) {
	packed := v.blocksFrom(l)
	c := v.listed.Cursor()
	k, val := c.Seek(l.key())
	p, more, err := packed()
	return func() (row, bool, error) {
		for err == nil {
			o, over := parseListing(k)
			switch {
			case over && (!more || o.compare(p) <= 0):
				a, bad := decodeAddition(val)
				if bad != nil {
					return row{}, false, bad
				}
				if more && o == p {
					p, more, err = packed()
				}
				k, val = c.Next()
				return row{o, a}, true, nil
			case !more:
				return row{}, false, nil
			}
			at := p
			p, more, err = packed()
			if !v.removed(at) {
				return row{at, addition{source: importedSource}}, true, nil
			}
		}
		return row{}, false, err
	}
}

// numberRange is a range of packed numbers, both ends included.
type numberRange struct{ from, to uint64 }

// prefixRanges gives the packed numbers that begin with a prefix, in rising order:
// one range for each length of a number.
func prefixRanges(prefix string) ([]numberRange, error) {
	digits, plus := strings.CutPrefix(prefix, "+")
	if len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return nil, gateway.Invalid("prefix", "is neither + and digits nor digits, at most 15")
	}
	var from uint64
	for _, d := range digits {
		from = from*10 + uint64(d-'0')
	}
	// ITU-T E.164 §6.2: up to 15 digits, of which the first is not 0.
	var out []numberRange
	for n := max(7, len(digits)); n <= 15 && !strings.HasPrefix(digits, "0"); n++ {
		scale := pow10(n - len(digits))
		r := numberRange{from * scale, (from+1)*scale - 1}
		if digits == "" {
			r.from = pow10(n - 1)
		}
		out = append(out, r)
	}
	for n := max(2, len(digits)); n <= 6 && !plus; n++ {
		scale := pow10(n - len(digits))
		head := 1<<63 | uint64(n)<<56 // as gateway.Address.Packed writes a short code
		out = append(out, numberRange{head | from*scale, head | ((from+1)*scale - 1)})
	}
	return out, nil
}

func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}
