// Package gsm7 knows the GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1), its
// extension table (§6.2.1.1), and how a text is cut into segments.
//
// A text that fits the default alphabet travels as septets: 160 in one segment,
// 152 in each of several (153 with an 8-bit reference). Any other character moves
// the whole text to UTF-16, which phones read for UCS2: 70 units, or 66 (67).
// Plan says which characters do that and what could stand in their place.
//
// Control characters are refused, but for line feed, carriage return, form feed
// and tab: an escape in a text would change what follows it. StripControls takes
// them out for a caller who prefers that.
//
// # Invariants
//
//   - Plan is what Cut cuts: the preview that a caller sees is the encoder that sends.
//   - The texts of the segments, one after the other, are the text.
//   - A surrogate pair and an escape sequence are never split over two segments.
//   - No text is cut silently: one that needs more than MaxSegments is an error.
//   - What comes in is always decoded to something: a decoder here has no error.
//
// # Not here
//
// TPDUs and headers (modem/internal/tpdu), the national language tables of
// TS 23.038 §A: handsets support them unevenly.
package gsm7
