// Package sims looks after the cards: it keeps a passport of each - who it is, where
// it is and has been, what its balance was, whether it may send - asks the networks
// for balances, and takes a card out of the ring that sends and never delivers.
//
// A card is named by gateway.Channel.SIMKey, here and everywhere. Its passport moves
// with it from slot to slot, and over restarts; its quota does the same in the spool.
//
// # Holds
//
// A held card sends nothing; the dialer asks Held. A person holds and releases one by
// hand; a swap that must be confirmed holds one; and a card is held by itself when it
// looks blocked: thirty segments or more for which a report was asked, the first of
// them an hour ago or more, none delivered, though this card, or the others of the box
// where it is new, usually get their reports. The numbers are in rules.go.
//
// A report that comes late lifts such a hold by itself. When no card of the same
// operator, or of the provider where there is no other of the operator, gets reports
// either, the reports are broken and not the card: there is one alarm, and nothing is
// held. So the last card that can send is never taken away. When the reports come back
// for one card, the others are judged by what they send from then on.
//
// Nobody is judged in the first hour of the daemon, because reports of before it may
// still come, nor where the provider asks for no reports. A card that told its ICCID
// once is held by its IMSI too.
//
// # Balances
//
// Each card is asked for its balance by its operator's code, at its own time of the
// day; the time of the last answer is on disk. An answer without an amount that can be
// read is kept as it came. A balance that nobody tells is an alarm: at once where the
// network refuses the code, after seven hours of tries where no answer comes.
//
// # Invariants
//
//   - A hold is in force before anybody is told of it. It is written with the event that tells
//     it in one commit; when the disk takes nothing it is tried again, and holds meanwhile.
//   - A card that was released is not held by itself again within an hour.
//   - While the clock is not trusted nobody is held by itself, and nothing is asked.
//   - An answer that cannot be read is never an amount.
//   - No method but Hold, Release, Confirm and AskBalance waits for a disk or a device.
//   - A passport that is written is under 64 KiB, and there are at most MaxCards of them.
//
// # Not here
//
// What a card sent and what became of it (spool), which channel takes a message
// (gateway/internal/dialer), and how a USSD code is dialled (modem).
package sims
