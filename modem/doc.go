// Package modem is the contract between fieldpost and whatever carries a
// message - a serial modem, a gateway with many ports, a cloud - and the Bank
// that keeps all of them running.
//
// A Driver serves one device. It reports its channels (one a port) to a Host,
// hands inbound messages and delivery reports to it, and sends one Submission at
// a time a port. The bank runs each driver in its own goroutine, starts it again
// with jittered backoff when it ends, and never ends the process for it.
//
// # The contract
//
//   - Send has three outcomes. A nil error: accepted, the Receipt says what is
//     known. An error of kind refused or invalid: it did not go out and never will.
//     Throttled or unavailable: it did not go out, and may later. unknown_outcome,
//     and every error that is not a *gateway.Error: it may have gone out. A driver
//     that is not sure says unknown_outcome.
//   - Send is called by one goroutine at a time for a port, never before its channel
//     was reported ready. It returns by itself within Driver.Limits().Send; a context
//     that ends early means: stop waiting, and say unknown_outcome unless it is
//     certain that nothing went out. A context that has already ended must not be
//     accepted: nothing goes out, and the error is unavailable.
//   - Errors are returned, not logged. The driver reports a state with its reason.
//   - Inbound and Report return when the thing is on disk. Only then may a driver
//     delete or acknowledge it at the device. A driver that cannot store keeps it at
//     the device and tries again.
//   - Run may be called again after it returned; it holds nothing of the run before.
//   - A panic in a driver is a fault of that driver: the bank turns it into an error.
//
// # Invariants
//
//   - A driver that does not return never holds up another, nor Close.
//   - Whatever a driver reported is replaced by "absent" when its Run ends.
//   - Nothing of a driver runs twice on one device: neither Run, nor a Run beside a
//     send of the Run before, nor a second driver beside one that was left behind.
//   - A port has one send at a time. One that its driver does not return from is in
//     doubt, and keeps its port until it returns.
//
// # Not here
//
// Which message goes to which channel (gateway/internal/dialer), and how it is
// written down (spool).
package modem
