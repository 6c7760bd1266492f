// Package at talks to one GSM modem over one serial port: it finds and opens the
// port, keeps commands and answers paired, takes unsolicited lines out of the
// stream in order, and turns the modem's error codes into kinds.
//
// The layers, from the wire up:
//
//	Opener    opens the port for us alone, and names who holds it otherwise
//	SafePort  one port that is closed once, never written to afterwards, and never hangs its caller
//	Link      lines: URCs go one way, answers to the command in flight the other
//	at.AT     the library's command serialiser, which sees nothing but answers
//	Session   one command at a time, with a deadline, and the way back to sync after one that got no answer
//
// Revive climbs the ladder by which a modem that does not answer is brought back; USB is its
// last rung, outside of a session.
//
// # Invariants
//
//   - The library sees exactly one final result for each command, whatever the modem
//     sends or does not send.
//   - A payload is written at most once, and never after its command was given up.
//   - After a command that got no answer, no other is paired with an answer before the
//     modem has been quiet and has named its message format (+CMGF: 0).
//   - Everything read is bounded: the length of a line, the lines of an answer and of a
//     USSD text, the URCs that wait.
//   - Nothing that is written or read after Close reaches a descriptor that was ours.
//   - No rung of the ladder is climbed while a send waits for its outcome.
//   - No PIN and no text is ever kept by the Recorder, and of a number its last three digits.
//
// # Not here
//
// What the commands mean and when they are sent (modem/serial), and what is in a
// TPDU (modem/internal/tpdu).
package at
