// Package dinstar drives a Dinstar GSM gateway (DWG2000, UC2000) over its HTTP JSON
// API: one driver a gateway, one channel a port.
//
// # How a message goes
//
// send_sms takes it for exactly one recipient on exactly one port, under a user_id of
// ours that was durable before. The gateway answers 202 at once and knows the outcome
// later; one query_sms_result asks for all that is open, at a time learned from how
// long a port's sends take. Send returns when the outcome is there. So a port never has
// more than one message in the gateway, and what is stopped or deleted here does not go
// out from a queue over there.
//
// What others have in the gateway's queue is counted: with more than twice as many messages as
// ports that can send, the ports rest until no more than one a port is left. A send that is
// given up is taken out of the queue.
//
// An answer that was lost, cut, late or not JSON says nothing: the gateway is asked by
// user_id before anything is said of the message.
//
// # How it is asked
//
// One request at a time. The whole body goes with the first try, since an empty
// challenge POST hangs some firmware (T2); a comma is always %2C, also in what the
// digest signs (T1). One 401 or 403 is tried again on a new connection (T8); the second
// one opens a circuit breaker, because the gateway bans an address that goes on (T3).
//
// # When it is asked
//
// A gateway that pushes is asked when it says that something happened: see Driver.Hear.
// A push is signed by nobody, may come twice, late or never, and so is no more than a reason to
// look; the looks by time stay, once a minute instead of every 5 s while all that they find was
// announced. So pushes decide when something is known, and never what.
//
// One request at a time is one line: a look that took long leaves the gateway four times as long
// to everything else, so that a list which is never answered does not hold up the sends.
//
// # Invariants
//
//   - One send_sms a Send. Nothing is sent twice to find out.
//   - Unavailable, refused and invalid mean that the gateway said no, or that no byte
//     reached it. Its not knowing a user_id is no proof: a restart forgets what went out.
//   - An inbound message counts as read when the host has stored it. Nothing is deleted in the
//     gateway, and nothing marked: flag=all with a high-water mark. flag=unread is for what
//     flag=all cannot show (a page that is cut at its older end, a firmware that knows no
//     flag=all), and what it marked can still be read. Which end of a page is cut is found out.
//   - A row of the inbox is named by its gateway, id, port, sender, time and text together: an id
//     starts again with the gateway, and trackers send the same text again. Rows
//     without an id that are alike are counted.
//   - What the gateway writes is bounded (1 MiB) and read leniently; none of it ends in a panic.
//   - Pushes, however many, cause at most four looks a second at each of ports, inbox and
//     reports, and leave the gateway half of its time when they ask for outcomes.
//   - A gateway over TLS is asked nothing before its certificate is believed.
//   - An IMEI is never changed, which is unlawful in many countries, and no PIN is tried.
//     Nothing is done to a port while a send or a USSD request is on its way there.
//   - While the breaker is open nothing is sent; one request probes when its time has come.
//
// # Not here
//
// Flash messages and validity periods: the API has neither. Joining of inbound segments: the
// gateway joins them. Delivery reports of all but the first segment: the API tells the
// TP-MR of that one only.
package dinstar
