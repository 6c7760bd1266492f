// Package dialer decides which message leaves next, on which channel, and what
// becomes of it. One loop goroutine runs every lane (a dialer, or a campaign that
// has none) and every channel: events come in - a send ended, a commit is on disk,
// rows were queued, a channel or a definition changed, a time came - and steps go
// out. The loop waits for nothing but events: it never stands still for a network,
// a device or a sync. A goroutine per busy channel carries each send.
//
// # How a message leaves
//
// A lane that may send and has a free channel claims up to Batch rows into
// memory. Of all lanes with a row that can go and a channel that can take it, the
// one with the lowest priority number is next, and of equals the one served
// longest ago. The row is checked a last time (end of validity, number pattern,
// blacklist), then its intent is committed, then it is sent. When the send ends,
// its outcome and the next intent of that channel go to disk in one step: one sync
// lies between two sends. The retry table says what an outcome means.
//
// # Invariants
//
//  1. Nothing is handed to a device before its intent is on disk, and nothing
//     that the store calls gone is handed to a device at all.
//  2. An outcome is kept in memory, and its channel with it, until it is on disk.
//  3. At most one message of a number is between intent and recorded outcome, over
//     all lanes and channels. A message that waits for its next try keeps later
//     ones of its number behind it.
//  4. A channel has at most one step being written or one send out, never both.
//  5. A lane holds at most Batch rows: buffered, being dropped and in flight.
//  6. Claims are memory only: stopping a lane, or a crash, leaves its rows queued.
//
// # Not here
//
// What a commit does to a record (spool), whether a channel is fit (modem.Bank),
// what a campaign's name means (gateway/internal/catalog).
package dialer
