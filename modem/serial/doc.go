// Package serial drives one GSM modem on one serial port: TS 27.005 for messages,
// TS 27.007 for everything else, PDU mode only.
//
// A Driver opens its port at each Run and keeps nothing of the run before. Three
// goroutines serve a run: the listener takes unsolicited lines (delivery reports,
// arrivals, registration) in order; the keeper sets the modem up and then does the
// housekeeping, one command at a time, standing back behind sends; and whoever calls
// Send. Between a modem's OK and its next AT+CMGS this package does no more than
// encode the TPDU.
//
// # How a modem comes up
//
// In sync (AT, E0, V1, Q0, +CMEE=1, +CMGF=0), identity, quirks of its maker, SIM (+CPIN,
// once a PIN), ICCID and IMSI, SMSC, where messages are kept and how they are told
// (+CPMS, +CSMS=0, +CNMI), what waits in the memory, registration, operator, signal:
// ready. What is missing is the channel's reason, in words, until it is there.
//
// # Invariants
//
//   - An outcome that is not certain is unknown_outcome.
//   - One AT command a segment in the steady state. Housekeeping never stands before a
//     send for longer than its one command in flight, and no longer than at.MaxDefer behind sends.
//   - A received TPDU is deleted from the modem only after the host has stored it, and
//     whether or not it could be read.
//   - A PIN is written down as tried before it is tried; only the SIM's consent takes
//     that back.
//   - A modem that does not answer is woken from the gentlest means to the last, and
//     then given up: Run returns with the reason, and the bank opens it again.
//
// # Not here
//
// Bytes, lines and codes of errors (modem/internal/at), TPDUs (modem/internal/tpdu), joining
// inbound segments and matching reports (spool), rests and restarts (modem.Bank).
package serial
