// Package tpdu writes SMS-SUBMIT and reads SMS-DELIVER and SMS-STATUS-REPORT
// (3GPP TS 23.040 §9.2.2) as modems carry them in PDU mode (TS 27.005 §4): in hex,
// behind the address of the SMSC.
//
// Writing is strict: what cannot be sent is an error. Reading is lenient, since a
// TPDU that is refused is a message that is lost. The networks' own slips are
// mended one by one, each with a note; the guards name the library's defects that
// made them necessary.
//
// # Invariants
//
//   - Reading has no error and does not panic. What could not be read is given with
//     the reason in Undecoded, the raw hex, and whatever was found before the fault.
//   - Septets and Octets are the user data without its header, still encoded, so that
//     the segments of a message are joined before they are decoded: an escape pair
//     may be split over two (S19).
//   - A time that cannot be read is the zero time, never a wrong one.
//   - A report without a readable status has the status StatusMissing, which stands
//     for nothing: never for "delivered".
//   - What Encode writes, the library reads back.
//
// # Not here
//
// Which text goes into which segment (gateway/gsm7), joining segments and matching
// reports (spool), USSD strings (gateway/gsm7).
package tpdu
