// Package spool keeps every message of the box, and what became of it, in one
// bbolt file. What it has answered for is on disk.
//
// # Layout
//
// A message is one record in the bucket msg under its entry position (idm), which
// is taken from the bucket's sequence and never used again. The bucket index has one entry
// for each record: campaign, slot, sort, idm. The slot is the stored status, or
// "later" for a queued row whose NotBefore has not come. What waits is sorted by
// priority and then by idm, so that a claim is a seek and a walk of as many rows as
// it takes, however long the queue is. A campaign is a number here, its lane.
//
// An intent says that a segment is about to reach a device. Opening one does not
// touch the message: that it is being submitted follows from the intent. Closing it
// with an outcome changes the message, its place, the counters and the outbox in one
// commit, and that commit carries the intent of the channel's next message: one sync
// lies between two sends.
//
// Counters, ring cursors and the usage of SIMs are small records in one bucket, so
// that a commit rewrites a page or two for all of them. A usage record has the counts of
// one day of its SIM; the days before it are in a bucket that only a new day touches. Records are fields in the
// wire format of protocol buffers between a version byte and a checksum over key and
// body. Names of buckets and numbers of fields are for ever; a layout that an older
// program would misread raises Schema.
//
// # Writing
//
// One goroutine writes. Whatever waits when a sync ends goes into the next commit;
// when the last commit had company, it waits for as much again, but at most a quarter of
// the last commit's time and 5 ms. A request that fails is taken out and the others run
// again without it. A full disk refuses what does not fit and goes on. Any other fault
// of the file trips Failed, and from then on every call says so: the process should end.
//
// # Invariants
//
// Check proves them; the tests run it after every test.
//
//  1. Each record has exactly one index entry, at the place that the record says, and
//     each entry has its record. A row with a NotBefore is in its slot of later or of queued.
//  2. A lane's counters are the number of its entries in each slot, and Uploaded is
//     their sum and Deleted.
//  3. No entry position is above the sequence, and none is given out twice.
//  4. An intent is open on queued rows only. A segment has at most one, and none when
//     it is out.
//  5. Events are numbered without a gap, up to the sequence of the outbox.
//  6. A status changes through setStatus only, which writes the timeline and the event.
//  7. Unknown is never folded into failed, expired or any other end, also not by what
//     becomes of a later try. It is queued again only by policy or by a person, with a line
//     in the timeline and an event that say so; segments that were never tried follow when
//     the doubt about the others ends.
//     The try behind a doubt is kept with its channel, SIM and user id until the doubt
//     ends, so that its device can be asked; Settle takes the device's word.
//  8. What was charged to a SIM is given back only when nothing was sent for sure.
//  9. A record that cannot be read is moved to quarantine as it is, its row counts as
//     deleted and an alarm says so. Nothing is dropped because it cannot be read.
//  10. The blacklist is the packed list of the present generation, with the edits since
//     it was begun over it. An import swaps generations in one commit, so it is all or
//     nothing, and an edit during it has a later number than the new list's base: it
//     holds. An import and Unlist leave opt-outs alone. The size is the number of entries.
//  11. An inbound TPDU is stored before Inbound returns, and makes one message at most. Segments
//     of two messages are never joined; a set is open, or delivered and waiting for late ones.
//     What it asks of the blacklist is done in the same commit; a start takes off nothing but
//     the customer's own stop of before, and no intent follows a stop but one that is exempt.
//  12. A segment that a report delivered stays delivered. A report finds a send of its own SIM
//     and recipient only, or waits for it.
//  13. An idempotency key gives its first answer for seven days. A definition is replaced only
//     over the revision that the caller saw.
//  14. A row that waits and has an end of validity is in the list of ends, under the minute
//     after it. Expire empties that list minute by minute and never walks a queue.
//  15. A definition and the event that tells it are one commit. No row waits in a lane whose
//     last definition was deleted, and none comes into it.
//  16. What became of a try is counted on its SIM's record in the commit that stores it, once,
//     under the date on which it happened. No count is given back with a quota, none is lost
//     to a clock that was set, and a doubt that ends moves what it is no more than once.
//  17. The recipients of a billing month are counted once. Another reset day moves the month
//     and keeps what was counted in it.
//
// # Not here
//
// Which row may leave now (gateway/internal/dialer), what a caller's request means
// (gateway/internal/intake), what goes over the air (modem), and the hub, which reads the
// outbox. Claims are in the dialer's memory: a crash forgets them and loses nothing.
package spool
