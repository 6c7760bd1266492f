// Package optout reads what customers answer when they want no more messages, or want
// them again, and sends the one confirmation.
//
// # What counts as a wish
//
// The whole message must be a word of the lists, or a phrase of them, in any case and with
// or without accents and punctuation; courtesies beside it change nothing: "STOP!!",
// "Stop. Thank you", "stop por favor", "Dar de baja". STOP, START and UNSTOP count in every
// language. With anything else in it, a message that has such a word in it is a near-miss,
// for a person to read: "STOP 12345", "please stop sending me this". A long text, and an
// everyday word within a sentence ("see you at the end of the road"), is none.
//
// A word is a wish where a law, a network or the custom of a country says so: STOP, the words
// of 47 CFR § 64.1200(a)(10) (END, QUIT, CANCEL, ...), BAJA, SALIR, SAIR. What answers a question as
// well ("how bad is it? ALTO", "CANCELAR" to an appointment) is a near-miss: it would cut customers off
// who asked for nothing. A site whose customers mean it makes it a word of its own.
//
// YES is no word for start: it is what people answer to a question, and would take an
// opt-out off unseen. A site adds words of its own, and takes out those that mean something
// else in what it sends ("reply CANCEL to cancel your appointment").
//
// # Invariants
//
//  1. A Judge is a pure function of the text; it never fails, and its time is bounded.
//  2. A confirmation is sent once for each wish that changed the list, whatever restarts: it
//     is posted under the id of the customer's message, and forgotten only after that.
//     A number that goes on changing its wish is told four times a day.
//  3. No wish without its change on disk is confirmed.
//
// # Not here
//
// The list itself and what a wish does to it (spool), whether a confirmation may leave
// (gateway/internal/dialer), which senders can be listed (spool).
package optout
