// Package gateway is the vocabulary of fieldpost: the words that every other
// package shares. A message, its states and what happened to it, an address, a
// channel and the SIM in it, a provider, a campaign, a dial string, a schedule,
// an event, and the closed list of error kinds.
//
// It imports the standard library only, and nothing of ours. Everything points
// at it; it points at nothing.
//
// # Invariants
//
//   - A value of a type in this package is plain data: no goroutine, no file,
//     no clock. Whoever needs the time is given it.
//   - Numbers that reach the disk (Status, Kind of an event) never change their
//     meaning; a retired one is never used again.
//   - Times are UTC inside the program.
//
// # Not here
//
// How a message is stored (spool), how it leaves (modem), how it is chosen
// (gateway/internal/dialer), or how a number that somebody typed becomes an
// Address (gateway/numbers: it needs the numbering plans of the world).
package gateway
