// Package catalog keeps the definitions of the box: providers, campaigns and
// dialers. It checks them, stores them as documents of the spool with a revision,
// and answers what a name means: Resolve for a message that comes in, Lanes for
// whoever sends.
//
// Campaigns and dialers share one namespace (P5, P42): the campaign of a row names
// either. A dialer that is named like a campaign is that campaign's dialer; a
// campaign without one sends through its provider, unpaced, on all its ports; a
// dialer alone is a campaign without members.
//
// A revision is 0 for what does not exist yet. A put names the revision that it
// replaces, so that two people never overwrite each other unseen.
//
// # Invariants
//
//   - What is read is one consistent state; it is a copy and may be changed freely.
//   - Memory changes after the disk did, never before.
//   - A campaign and a dialer always name a provider that exists, except one that
//     the configuration file took away: its lanes then say so and do not run.
//   - At most one provider is the default.
//   - Whatever still waits in the spool has a definition: neither a campaign nor a
//     dialer can be deleted from under its rows.
//   - A secret is stored and handed to drivers, and appears in nothing printed. A
//     password goes to the address that it was given for, and to no other.
//
// # Not here
//
// API tokens (gateway/internal/access), the rows themselves (spool), and whether a
// channel is up (modem).
package catalog
