// Package access says who calls and what they may do: API tokens with scopes,
// addresses that need no token, and the token that lets the verbs of the command
// line on the same box do everything.
//
// A token is "fp_", ten characters of id and fifty-two of secret (256 bits from
// the system's random source, base32). It is shown once, when it is made. What is
// kept is its SHA-256: a slow hash would protect a word that a person chose, not
// 256 random bits.
//
// An address is trusted when the installer lists it. It gets the scopes read and
// send without a token, because the old clients of SendSMS send none. Three kinds
// of request from such an address are not trusted all the same, because somebody
// else stands behind them: one that a proxy passed on (Forwarded, X-Forwarded-For,
// X-Real-IP, Via), one that a page in a browser made (Origin, Sec-Fetch-Site; and
// one that reads under a name which could be a website's), and one that brings a
// token, which must then be right.
//
// # Invariants
//
//   - No secret is stored, logged, or part of an error.
//   - A right token always gets in: only wrong ones are throttled, so that nobody
//     behind a shared address can lock the others out.
//   - Secrets are compared in constant time, also where the id is unknown.
//   - Memory is bounded: MaxTokens tokens, and a fixed number of throttled addresses.
//   - A request writes nothing to disk. When a token was last used is known to the
//     hour, and stored by Run.
//
// # Not here
//
// Users, passwords and sessions of people. Which endpoint asks for which scope
// (gateway/internal/api).
package access
