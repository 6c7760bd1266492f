package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// ReportQuery filters the report on sent and waiting messages.
type ReportQuery struct {
	MessageQuery
	From time.Time // inclusive, by time of entry; zero = no bound
	To   time.Time // exclusive; zero = no bound
}

// MessageReport writes the report on messages as CSV (RFC 4180, UTF-8) to w as it
// comes, all pages of it.
func (c *Client) MessageReport(ctx context.Context, q ReportQuery, w io.Writer) error {
	v := q.values()
	v.Set("format", "csv")
	if !q.From.IsZero() {
		v.Set("from", q.From.UTC().Format(time.RFC3339))
	}
	if !q.To.IsZero() {
		v.Set("to", q.To.UTC().Format(time.RFC3339))
	}
	return c.do(ctx, call{
		method: http.MethodGet, path: "/reports/messages", query: v,
		accept: "text/csv, " + ProblemType, copyTo: w, long: true,
	})
}
