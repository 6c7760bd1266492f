// Package app builds the daemon out of its rooms and runs it: the only package
// that knows everyone, and the only translator from the configuration file to
// each room's options.
//
// New opens the spool, builds every room and binds every listener; each
// acquisition is followed at once by its named release. Run starts the actors and
// waits. Stop, and a New that cannot finish, walk the same releases backwards,
// which gives the order of a shutdown: not ready, the dialers drain, the drivers
// close their ports, HTTP ends, the spool closes last.
//
// # Invariants
//
//   - A port that is taken, a bad spool, a bad definition are errors of New, never
//     log lines of a daemon that runs without them. A modem that is away is neither:
//     the bank waits for it.
//   - An actor that ends before it is told to takes the daemon down, with its name
//     in the error. Channels are no actors: the bank starts them again.
//   - Stop ends within 30 s whatever a device does; each release has its own bound. A
//     second signal waits for nothing but the spool.
//   - A modem serves one provider. Where the file gives it to one and the spool to
//     another, it is the file's, and the other's channel says so.
//   - Ready means that what comes in can be stored and that a channel can send it.
//
// # Not here
//
// Flags, signals and exit codes (cmd/fieldpost).
package app
