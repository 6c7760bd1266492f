// Package reconcile asks devices what became of messages whose outcome nobody knows.
//
// A crash, or an answer that never came, leaves a message in doubt. Some devices remember
// what they sent under our user id: a Dinstar gateway does. Each doubt of the last 24 h is
// put to the device that took it, as soon as its channel is there with the same SIM in it,
// then after 15 s, 1 min, 5 min, 15 min and every hour; when the channel comes back from an
// absence the questions begin anew. The device's word goes to the spool: accepted is sent,
// with the TP-MR by which its reports are found; a refusal is failed, or queued again where
// the retry table says so; anything else leaves the doubt to a report, a person or the policy.
//
// The policy that sends a message in doubt again waits ResendAfter (10 min unless the site
// says otherwise), so that a device that is there has been asked four times before. One that
// stays away longer is not waited for: the policy was chosen for messages that must arrive,
// and says that they may arrive twice.
//
// A modem on a serial port is never asked. It keeps no record of what it sent: +CMGS stores
// nothing, and the messages stored as SENT in its memory (TS 27.005 §3.1, <stat> 3) are those
// that +CMSS sent from there, which no driver does, since it needs a second write to a memory
// that wears out and is the SIM's room for received messages.
//
// # Invariants
//
//  1. A device is asked only while the SIM that took the message is in that channel.
//  2. One question at a time is out to a device, and none of them holds up a send.
//  3. A device that does not know a message, or cannot be asked, changes nothing.
//  4. Memory is bounded: about maxOpen doubts are asked about at a time, of one provider a
//     quarter of them, the oldest first.
//
// # Not here
//
// What a word does to a record (spool.Settle), how a device is asked (modem.Reconciler), the
// end of a doubt by a report (spool.Report), a person (spool.Resolve) or the policy (spool).
package reconcile
