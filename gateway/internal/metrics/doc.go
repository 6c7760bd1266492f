// Package metrics shows what the box does to Prometheus: messages by status and
// by kind of failure, the work of the storage, channels by state and signal, and
// requests by class.
//
// Figures that somebody else keeps already (counters of the spool, the state of a
// channel) are read when they are scraped; only what nobody keeps is counted here.
//
// # Invariants
//
//   - A scrape reads memory: no bucket of the spool is walked for it.
//   - Labels come from closed sets, or name a configured channel. There is none with
//     a campaign, a number, a message or the text of an error.
//   - A label is valid UTF-8 and short, whatever a device says.
//   - Nothing is registered outside the given registry.
//
// # Not here
//
// Who may scrape (gateway/internal/api).
package metrics
