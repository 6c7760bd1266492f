// Package intake is the one door through which outbound messages enter:
// SendSMS, the API, a base in CSV, the console, an agent, the hub. It normalises the
// number, plans the segments, resolves the campaign and commits.
//
// Submit takes one message. TakeBase and TakeBlacklist take a file: its bytes go to
// disk as they come, it is checked as a whole, and the commit of its record accepts
// it. A loader (RunLoader) then reads it as a stream and adds its rows in chunks, each
// chunk and the progress of the load in one commit, and goes on at that place after
// any stop.
//
// # The CSV
//
// campaign;destination;message;priority[;data...] for a base and phone[;campaign]
// for a blacklist. The separator is ";", quotes are those of RFC 4180, a quote inside
// an unquoted field is a letter. UTF-8 with or without its mark, otherwise
// Windows-1252. The first row is a header when it is the column names. A row that
// cannot be read costs that row: a quote that is never closed, a line longer than
// 64 KiB and letters of another encoding are reported, and reading goes on at the
// next line.
//
// # Invariants
//
//   - An answer without an error means: on disk, after fsync.
//   - A row of an accepted file is added once, or reported with its line: never lost,
//     never doubled, whenever the process ends.
//   - An upload id means one content. The same again adds nothing; another is refused.
//   - Memory does not depend on the size of a file, a line or a field.
//   - A file on disk has a record in the spool, or was never accepted.
//
// # Not here
//
// The blacklist's look-up, the number pattern of a provider and everything else that
// is decided when a row is about to leave (gateway/internal/dialer).
package intake
