package gsm7

import (
	"unicode/utf8"

	"fieldpost/gateway"
)

// MaxSegments is the most segments that a text may take, whatever the options say.
const MaxSegments = 10

// The room in a segment of 140 octets (TS 23.040 §9.2.3.16), alone and behind a
// concatenation header of 6 octets (8-bit reference, §9.2.3.24.1) or 7 octets
// (16-bit reference, §9.2.3.24.8).
const (
	septetsAlone, septets8, septets16 = 160, 153, 152
	unitsAlone, units8, units16       = 70, 67, 66
)

// maxChars bounds the work on a text that could never fit.
const maxChars = MaxSegments * septetsAlone

// Options say how a text is cut. The zero value is the house's way: 16-bit
// references, up to MaxSegments.
type Options struct {
	Ref8        bool // 8-bit concatenation references: for a device that cuts by itself and uses them
	MaxSegments int  // 1 to MaxSegments; 0, and anything above, is MaxSegments
}

// Plan says how a text travels.
type Plan struct {
	Encoding   gateway.Encoding
	Segments   int
	Units      int      // septets, or UTF-16 units, in all segments together
	PerSegment int      // the room in each of these segments, in the same units
	Left       int      // the room left in the last one
	Forced     []Forced // the characters that force UCS2, in order; none for GSM7
}

// PlanText plans a text with the zero Options.
func PlanText(text string) (Plan, error) { return Options{}.Plan(text) }

// Plan says how Cut would cut the text. It refuses, with kind invalid and field
// "text", a text that is empty, is not UTF-8, has a control character, or takes
// too many segments. Of a text that takes too many the plan is given all the
// same, with the characters that force UCS2, unless not even the shortest
// encoding of so many characters could fit.
func (o Options) Plan(text string) (Plan, error) {
	l, err := o.layout(text)
	if l.segments == 0 {
		return Plan{}, err
	}
	p := Plan{
		Encoding:   l.encoding,
		Segments:   l.segments,
		Units:      l.units,
		PerSegment: l.room,
		Left:       l.room - l.last,
	}
	if l.encoding == gateway.EncodingUCS2 {
		p.Forced = forced(text)
	}
	return p, err
}

// layout is where a text is cut: the one computation behind Plan and Cut.
type layout struct {
	encoding gateway.Encoding
	segments int
	units    int
	room     int              // of each segment
	last     int              // units used in the last one
	ends     [MaxSegments]int // byte offset behind each segment; only the first ones when there are too many
}

func (o Options) layout(text string) (layout, error) {
	gsm, units, err := measure(text)
	if err != nil {
		return layout{}, err
	}
	l := layout{encoding: gateway.EncodingGSM7, units: units}
	alone, cost := septetsAlone, septetCost
	if !gsm {
		l.encoding = gateway.EncodingUCS2
		alone, cost = unitsAlone, unitCost
	}
	if units <= alone {
		l.segments, l.room, l.last, l.ends[0] = 1, alone, units, len(text)
		return l, nil
	}
	l.room = o.room(gsm)
	l.fill(text, cost)
	if l.segments > o.limit() {
		return l, gateway.Invalid("text", "takes %d segments in %s, and at most %d are allowed",
			l.segments, l.encoding, o.limit())
	}
	return l, nil
}

// fill cuts the text greedily into segments, between characters only: so an
// escape pair and a surrogate pair stay whole.
func (l *layout) fill(text string, cost func(rune) int) {
	for i, r := range text {
		c := cost(r)
		if l.last+c > l.room {
			l.end(i)
		}
		l.last += c
	}
	last := l.last
	l.end(len(text))
	l.last = last
}

func (l *layout) end(offset int) {
	if l.segments < MaxSegments {
		l.ends[l.segments] = offset
	}
	l.segments++
	l.last = 0
}

// measure checks the text and counts its units in the encoding that it needs.
func measure(text string) (gsm bool, units int, err error) {
	if text == "" {
		return false, 0, gateway.Invalid("text", "is empty")
	}
	var septets, utf16, chars int
	gsm = true
	for i, r := range text {
		if chars++; chars > maxChars {
			return false, 0, gateway.Invalid("text", "has more than %d characters, which never fit %d segments", maxChars, MaxSegments)
		}
		c := septetCost(r)
		if c == 0 { // what is refused is in no table either
			gsm = false
			if err := check(text, i, r, chars-1); err != nil {
				return false, 0, err
			}
		}
		septets += c
		utf16 += unitCost(r)
	}
	if gsm {
		return true, septets, nil
	}
	return false, utf16, nil
}

// check refuses what no segment may hold: octets that are not UTF-8, which would
// cost the caller twice as much and arrive as a question mark (S24), and control
// characters (S9).
func check(text string, i int, r rune, char int) error {
	if r == utf8.RuneError {
		if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
			return gateway.Invalid("text", "is not valid UTF-8 at byte %d (0x%02X)", i, text[i])
		}
	}
	if control(r) {
		return gateway.Invalid("text", "has the control character U+%04X at character %d; line feed, carriage return, form feed and tab are the only ones allowed", r, char)
	}
	return nil
}

// control says that a character is a control character of ISO 6429 that has no
// place in a text.
func control(r rune) bool {
	switch r {
	case '\n', '\r', '\f', '\t':
		return false
	}
	return r < 0x20 || r >= 0x7F && r < 0xA0
}

func (o Options) limit() int {
	if o.MaxSegments < 1 || o.MaxSegments > MaxSegments {
		return MaxSegments
	}
	return o.MaxSegments
}

// room gives the room in one of several segments.
func (o Options) room(gsm bool) int {
	switch {
	case gsm && o.Ref8:
		return septets8
	case gsm:
		return septets16
	case o.Ref8:
		return units8
	}
	return units16
}
