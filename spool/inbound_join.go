package spool

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fieldpost/gateway/gsm7"
	"fieldpost/modem"
)

// gapMark stands in a text for segments that did not come.
const gapMark = "[…]"

// piece is one received segment, as it waits for the others.
type piece struct {
	Seq     int          `json:"seq"` // 1-based
	Hash    []byte       `json:"hash,omitempty"`
	Coding  modem.Coding `json:"coding"`
	Text    string       `json:"text,omitempty"`
	Septets []byte       `json:"septets,omitempty"`
	Octets  []byte       `json:"octets,omitempty"`
	Raw     string       `json:"raw,omitempty"`
	SentAt  time.Time    `json:"sent_at,omitzero"`
}

func pieceOf(p *modem.Part, hash []byte) piece {
	return piece{
		Seq: max(p.Seq, 1), Hash: hash, Coding: p.Coding, Text: strings.ToValidUTF8(p.Text, "\uFFFD"),
		Septets: p.Septets, Octets: p.Octets, Raw: p.Raw, SentAt: p.SentAt,
	}
}

// kind says how a piece's text is made; neighbours of one kind are joined first.
type pieceKind uint8

const (
	pieceText    pieceKind = iota // its driver decoded it
	pieceSeptets                  // GSM 7-bit default alphabet
	pieceUCS2
	pieceOctets // 8-bit data
)

func (p *piece) kind() pieceKind {
	switch {
	case p.Coding == modem.CodingGSM7 && len(p.Septets) > 0:
		return pieceSeptets
	case p.Coding == modem.CodingUCS2 && len(p.Octets) > 0:
		return pieceUCS2
	case p.Coding == modem.Coding8Bit && len(p.Octets) > 0 && p.Text == "":
		return pieceOctets
	}
	return pieceText
}

// joinPieces gives the text of a message of total segments from those that came, in
// any order, and why a part of it could not be read ("" when all could).
//
// Septets and octets are joined before they are decoded: an escape (TS 23.038
// §6.2.1) or a surrogate pair may lie over the border of two segments (S19, S15).
func joinPieces(ps []piece, total int) (text, undecoded string) {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b piece) int { return cmp.Compare(a.Seq, b.Seq) })
	var out strings.Builder
	next := 1
	for i := 0; i < len(ps); {
		if ps[i].Seq != next {
			out.WriteString(gapMark)
		}
		j := i + 1
		for j < len(ps) && ps[j].Seq == ps[j-1].Seq+1 && ps[j].kind() == ps[i].kind() {
			j++
		}
		s, ok := joinRun(ps[i:j])
		if !ok {
			undecoded = "8-bit data that is no text"
		}
		out.WriteString(s)
		next = ps[j-1].Seq + 1
		i = j
	}
	if next <= total {
		out.WriteString(gapMark)
	}
	return out.String(), undecoded
}

// joinRun gives the text of neighbours of one kind; false for data that is no text.
func joinRun(ps []piece) (string, bool) {
	var data []byte
	var text strings.Builder
	for i := range ps {
		data = append(append(data, ps[i].Septets...), octetsOf(&ps[i])...)
		text.WriteString(ps[i].Text)
	}
	switch ps[0].kind() {
	case pieceSeptets:
		return gsm7.DecodeSeptets(data), true
	case pieceUCS2:
		return gsm7.DecodeUCS2(data), true
	case pieceOctets:
		return printable(data)
	}
	return text.String(), true
}

// octetsOf leaves the octets out where septets are what counts.
func octetsOf(p *piece) []byte {
	if p.kind() == pieceSeptets {
		return nil
	}
	return p.Octets
}

// printable gives 8-bit data as text where it is UTF-8 without control characters:
// TS 23.038 §4 leaves its meaning to sender and receiver.
func printable(data []byte) (string, bool) {
	if !utf8.Valid(data) {
		return "", false
	}
	s := string(data)
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return "", false
	}
	return s, true
}
