// Package dwg drives a Dinstar gateway by the DWG SMS API v2.1, its binary protocol
// over TCP. It is the gateway that dials: the driver listens where its provider says, lets
// in the one gateway that knows user and password, and sends through its ports.
//
// The protocol has no delivery reports, no flash messages, no validity, no TP-MR and
// no identity of a SIM: quotas go by the channel. A long message goes over whole, and the gateway
// cuts it. A text with a letter beyond ASCII goes as UCS2, since the protocol has no other way to
// write it: the gateway may make more segments of it than the GSM alphabet would.
//
// # Sends
//
// A send is acknowledged by its id, and its result comes later under the port and the
// number alone. So a port takes no further message to a number whose result it still owes:
// Send says unavailable until the late result came, which nobody takes for his own, or
// cannot be expected any more (Times.Settle), also for the sends of an earlier run of the
// program (Options.Owed). A result that comes before the send was
// acknowledged, or a second time, is nobody's either.
//
// A send that was acknowledged and loses its connection waits for its result on the next
// one of the same gateway: until the usual limit while that is away, and briefly once it is
// back, since one that lost its power forgets. Whether a send that was not acknowledged is at
// the gateway nobody can know: it is in doubt at once. A late result is remembered,
// and Reconcile tells it to whoever asks.
//
// # Received messages
//
// A message is acknowledged when it is stored. One that could not be stored is not,
// and the gateway sends it again; its raw form, which has nothing in it that changes from one
// time to the next, tells the spool that it came before.
//
// # Invariants
//
//   - Nothing but a login is read from whoever has not logged in, and not for long.
//     A wrong one is answered after a pause; the number of those who wait is bounded, and of each
//     address no more than a quarter of them waits.
//   - Whoever does not show the MAC of the gateway in session takes nothing over.
//   - A frame that left whole, and has no result, is unknown_outcome. One that did not
//     leave whole is unavailable: the gateway cannot read half a frame.
//   - Run returns when every goroutine and connection of it has ended.
//
// # Not here
//
// The gateway's HTTP API (package dinstar), and encryption: the protocol has none, and
// belongs on a network of its own.
package dwg
