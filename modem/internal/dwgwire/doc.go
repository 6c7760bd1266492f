// Package dwgwire is the frames of the DWG SMS API v2.1, the binary protocol of
// Dinstar gateways over TCP: what a gateway and whoever it dials say to each other.
//
// A frame is a header of 24 bytes, big-endian - length of the body (4), the sender's
// MAC (6) and two zero bytes, time (4), serial (4), type (2), flag (2) - and its body. Each
// request is answered by the type that follows its own, with the request's id. What
// goes out is checked strictly; what comes in is read as far as it makes sense, and the error
// says what does not.
//
// Text is ASCII or UCS2: encoding 0 was the GSM alphabet before version 1.4 of the
// protocol and is ASCII since, so that a text with any other letter goes as UCS2.
//
// # Invariants
//
//   - A body has at most MaxBody bytes, whatever a header claims.
//   - What a decoder gives shares no memory with the frame.
//   - No input makes a decoder panic.
//
// # Not here
//
// Connections, times and states (modem/dwg, and the gateway of modem/sim).
package dwgwire
