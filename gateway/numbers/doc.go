// Package numbers turns what somebody typed, or a network wrote, into an Address.
//
// A number that begins with "+" is taken as it stands: the numbering plans of the
// world change, and whoever writes the country code is believed. So is one behind
// "00". Anything of two to six digits is a short code. The rest is a national
// number of the site's region, read by the rules of ITU-T E.164 and of that region.
// Spaces, dashes, dots, slashes and parentheses are tolerated anywhere; letters
// never: no number is guessed from a word.
//
// # Invariants
//
//   - What Normalise gives is E.164 or a short code, and Normalise gives it back
//     unchanged.
//   - A short code is decided before any numbering plan is asked: the library reads
//     "113" in Norway as +47113.
//   - The memo only makes it faster: with it and without it the answer is the same.
//   - An error holds no digit of the number, so that it may be logged.
//
// # Not here
//
// Whether a number is listed (spool) or a provider takes it (gateway.CompilePattern).
package numbers
