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
// In sync (AT, E0, V1, Q0, +CMEE=1, +CMGF=0), identity, quirks of its maker, radio
// (+CFUN), SIM (+CPIN, once a PIN), ICCID and IMSI, time (+CTZU), SMSC, where messages are kept and how they are
// told (+CPMS, +CSMS=0, +CNMI), what waits in the memory, registration, operator, signal,
// the network's time: ready. What is missing is the channel's reason, in words, until it
// is there.
//
// # How a modem comes back
//
// Within a run: AT, ESC, the settings, the radio off and on (CFUN 4 and 1), a restart (CFUN
// 1,1). Between two runs: the port is opened anew, another AT port of the modem is tried, its
// USB device is reset. What takes a modem off the network is bounded by a Budget; beyond
// it the channel rests with an alarm, and is only looked at. Each time is an incident with
// its cause, steps and dialogue. A modem that answers all but messages, or finds no
// network for long, has its radio switched.
//
// # What is not stored by the modem
//
// A delivery report is handed over (+CNMI ds 1) and kept in memory until it is on disk, in
// order and over the end of a run. The other way, ds 2, costs +CMGR and +CMGD and a write of the
// SIM a report, in the way of messages.
//
// # Invariants
//
//   - An outcome that is not certain is unknown_outcome.
//   - One AT command a segment in the steady state. Housekeeping never stands before a
//     send for longer than its one command in flight, and no longer than at.MaxDefer behind
//     sends; a USSD dialogue takes the modem for its commands only.
//   - A received TPDU is deleted from the modem only after the host has stored it, and
//     whether or not it could be read. One that the wire spoiled is read again first.
//   - No digit that the wire changed makes another SIM or modem of it: identity counts
//     when it came as expected, or the same twice.
//   - A PIN is written down as tried before it is tried; only the SIM's consent takes
//     that back.
//   - No step to bring a modem back is taken before a send that is on its way has its
//     outcome, and none at a device that another channel uses.
//   - A look for modems opens no port that a channel has, nor another port of that modem.
//
// # Not here
//
// Bytes, lines and codes of errors (modem/internal/at), TPDUs (modem/internal/tpdu), joining
// inbound segments and matching reports (spool), rests and restarts (modem.Bank).
package serial
