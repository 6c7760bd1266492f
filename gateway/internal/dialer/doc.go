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
// A claim passes over rows that cannot go now: of a number that is busy, or for a
// channel that is, or whose SIM has no room for them. Where more of them lie in front than one claim may pass over, the
// rows behind are looked at over turns, round and round, and go in the order in which
// they are come by; those of one number keep theirs.
//
// Rows that no free SIM of the ring has room for - by their segments, or because the one
// with a place for their number is away - stay in memory, and what lies behind a whole
// Batch of them waits with them. So does a row for a port outside of the dial string,
// while every port in it is busy.
//
// # Which channel
//
// A provider's choice says which of the channels that can take a row does. The ring
// gives it to the next one in order. Least-used gives it to the SIM that has used the
// smallest share of its tightest limit; of equals to the one that sent least today and
// this month, and then to the next in order, so that equal SIMs are served in turn.
// Same-operator gives it to the next SIM of the operator that owns the number, and to
// the next of the ring where none is free: a SIM that could send never waits for a row
// of its own.
//
// When every channel is busy, the one that comes free would take whatever row is first,
// and the operators would never meet. So, while a channel of the first row's operator
// is only busy, a row behind it that has the free channel's operator may go before it:
// one of equal priority, in memory, and as many of them as the ring has channels, by
// when each has come free once. Then the first row goes over whatever is free. FIFO
// bends by that much and no more, and for nothing but this choice.
//
// # A SIM that is held
//
// It is passed over like a port that is down, and what is bound to it waits. A long
// message whose segments are following each other ends first, as it does when its lane
// is stopped: half of one costs what it costs and says nothing to its reader. What had
// broken off before the hold waits for its end.
//
// # Recipients of a month
//
// A row to a new number that no SIM of its lane has a place for waits until the first
// of them begins its month, or gets a place in another way. It is taken out of memory
// meanwhile, so that rows to numbers that are counted already are not kept behind it;
// a lane remembers maxBarred such rows, and what lies behind more of them waits with
// them.
//
// # Refusals and faults
//
// Refusals by the network are counted for the SIM, over restarts too, and the rest that
// they earn goes where the SIM goes; faults are counted for the channel and the SIM in it.
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
//  7. A choice takes a channel exactly when the ring would take one, and only one that
//     the ring might have taken. Choosing allocates nothing and looks at a channel at
//     most three times a row.
//  8. No intent of a first segment is opened on a SIM that is held.
//
// # Not here
//
// What a commit does to a record (spool), whether a channel is fit (modem.Bank),
// what a campaign's name means (gateway/internal/catalog), which SIM is to be held
// (Options.SIMs).
package dialer
