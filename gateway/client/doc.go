// Package client is the REST API of fieldpost as Go sees it: the JSON types of
// every endpoint, and a Client that calls them. The server makes its OpenAPI
// document from the same types, so the two cannot drift apart.
//
// A call that the server refused returns the same *gateway.Error that the server
// had: kind, field, text and the time to wait. A call that never reached the
// server is of kind unavailable; one that may have reached it, but whose answer
// was lost, is of kind unknown_outcome.
//
//	c, err := client.New(client.Options{BaseURL: "http://127.0.0.1:8080", Token: token})
//	got, err := c.Send(ctx, client.NewMessage{To: "+4791234567", Text: "Hi", Campaign: "alerts"})
//
// # Invariants
//
//   - Times are RFC 3339 in UTC in both directions.
//   - Every call that creates something carries an Idempotency-Key: a connection
//     that breaks may be tried again without doing it twice.
//   - A token leaves only for the host of BaseURL: redirects are not followed.
//   - An answer is bounded (MaxAnswer); an upload and an event stream are streams.
//
// # Not here
//
// What the server checks (gateway/internal/api and the rooms behind it), and how
// a verb of the command line prints what it got (cmd).
package client
