// Package api is the HTTP face of the box: the REST API under /api/v1, its OpenAPI
// 3.1 document, the old web services on their literal paths, the event stream,
// /healthz, /readyz and /metrics, and the door to what devices tell by themselves, /hooks/.
//
// Most routes are huma operations: types in, types out, validation and document
// from the same tags. What is a stream, a form or a file is a plain handler on the
// same mux, and is described in the same document. Both go through admit: who
// calls, how often, with which scope, and whether the box still takes work.
//
// A problem (RFC 9457) carries the kind of its *gateway.Error as code and names
// the field at fault. An error without a kind is a fault of ours: the log gets its
// text, the caller does not.
//
// # Invariants
//
//   - 2xx for something that was submitted means: on disk.
//   - Every route but health, readiness, the document and the hooks asks for a scope.
//   - No secret leaves: passwords and PINs have no way out, a token leaves once, and
//     a problem repeats names and cursors that it was given, quoted, and no other value.
//   - What a request costs is bounded: headers, body, time to send it, fields, events
//     streams, rows of a page. A file is a stream and bounded in length.
//   - An unknown parameter, field, path, method or media type is refused by name.
//   - A panic ends its request only.
//
// # Not here
//
// What a message, a campaign or a base must be like (the rooms that take them),
// users and sessions of people, and the console.
package api
