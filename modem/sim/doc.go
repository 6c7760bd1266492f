// Package sim is a mobile network with modems, made of nothing but this process
// and the kernel's ptys, so that drivers, the daemon and other programs can be
// run against hardware that is not there.
//
// A Network keeps the ledger of what really went on the air: one Entry for each
// SMS-SUBMIT that it took, whatever the modem then told its driver. It carries
// messages and delivery reports the other way. A Modem is a GSM modem behind a real pty:
// it speaks TS 27.005 and TS 27.007 as the modems of its vendor do, holds a Card, and
// misbehaves on demand (Fault, Hang, Line). A Bank is many modems on one network under
// stable names in a folder. A Dinstar is a GSM gateway behind its HTTP JSON API, with the
// traps that callers of real ones fell into. Simulators of other devices put their
// traffic on the same Network with Submit.
//
// Chance is drawn from the seed, the card and the number of the send, not from a
// shared sequence: a run with the same seed meets the same faults whatever the
// scheduler does.
//
// # Invariants
//
//   - What is not in the ledger did not go on the air, and what went is there once
//     for each time.
//   - TP-MR, storage and PIN tries live on the card and move with it.
//   - A message for a card that cannot take it - no modem, no network, no room -
//     waits in the network until it can.
//   - Close returns when every goroutine has ended and every pty is gone.
//
// # Not here
//
// Voice, data, and the baud rate of a line. TIOCEXCL is taken off a port
// once its driver speaks: a pty would keep it after the driver was killed, which a tty
// does not. A SIM application toolkit, nor its pages at a gateway. At the
// login of a gateway: auth-int, and a check that nc counts up.
package sim
