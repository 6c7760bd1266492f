// Package gsm7 knows the GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1), its
// extension table, and how a text is cut into segments.
//
// # Invariants
//
//   - Plan is what Cut cuts: the preview that a caller sees is the encoder that sends.
//   - A surrogate pair and an escape sequence are never split over two segments.
//   - No text is cut silently: one that needs more than MaxSegments is an error.
//
// # Not here
//
// TPDUs (modem/internal/tpdu).
package gsm7
