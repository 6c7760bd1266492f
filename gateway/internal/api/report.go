package api

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/spool"
)

// Bounds of a report.
const (
	reportPage  = 500 // rows read at once
	reportPages = 20  // pages looked through for one page of JSON
)

type reportInput struct {
	MessageList
	From   time.Time `query:"from" example:"2030-01-01T00:00:00Z" doc:"Entered at or after"`
	To     time.Time `query:"to" example:"2030-02-01T00:00:00Z" doc:"Entered before"`
	Format string    `query:"format" enum:"json,csv" default:"json" doc:"csv: every row in one answer, separated by ;"`
}

// reportRoutes serve the report on sent and waiting messages (P147).
func (a *API) reportRoutes() {
	rt := route{
		method: http.MethodGet, path: root + "/reports/messages", id: "report-messages", tag: "reports",
		summary: "Report on sent and waiting messages", text: "As pages of JSON, or whole as CSV.",
		class: ClassRead, scope: access.Read,
	}
	op := a.operation(&rt)
	op.Responses["200"] = &huma.Response{
		Description: "OK",
		Content: map[string]*huma.MediaType{
			"application/json": {
				Schema:  a.schema(client.Page[client.Message]{}),
				Example: exampleOf[client.Page[client.Message]](),
			},
			"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}, Example: strings.Join(reportHead, ";") + "\r\n"},
		},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *reportInput) (*huma.StreamResponse, error) {
		q, err := in.query()
		if err != nil {
			return nil, a.told(ctx, &rt, err)
		}
		if in.Format == "csv" {
			return &huma.StreamResponse{Body: func(c huma.Context) { a.reportCSV(c, in, q) }}, nil
		}
		page, err := a.report(in, q)
		if err != nil {
			return nil, a.told(ctx, &rt, err)
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			c.SetHeader("Content-Type", "application/json")
			_ = writeJSON(c.BodyWriter(), page) // A caller that is gone hears nothing more.
		}}, nil
	})
}

// report gives one page. It looks through a bounded number of rows: a page may
// hold fewer than asked for, or none, and still have a next one.
func (a *API) report(in *reportInput, q spool.Query) (client.Page[client.Message], error) {
	out := client.Page[client.Message]{Items: []client.Message{}}
	for range reportPages {
		q.Limit = in.Limit - len(out.Items)
		p, err := a.Spool.List(q)
		if err != nil {
			return out, err
		}
		for i := range p.Messages {
			if in.covers(&p.Messages[i]) {
				out.Items = append(out.Items, messageOf(p.Messages[i]))
			}
		}
		out.Next, q.Cursor = p.Next, p.Next
		if p.Next == "" || len(out.Items) == in.Limit {
			break
		}
	}
	return out, nil
}

func (r *reportInput) covers(m *gateway.Message) bool {
	return (r.From.IsZero() || !m.Created.Before(r.From)) && (r.To.IsZero() || m.Created.Before(r.To))
}

// reportHead names the columns of the CSV.
var reportHead = []string{
	"id", "campaign", "destination", "message", "priority", "status", "state", "state_name", "reason",
	"channel", "segments", "attempts", "agent", "data", "upload", "created", "finished",
}

// reportCSV writes every row. An answer that breaks off in the middle is cut off
// on the wire too: a short file must not look like a whole one.
func (a *API) reportCSV(c huma.Context, in *reportInput, q spool.Query) {
	r, w := humago.Unwrap(c)
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="messages.csv"`)
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true // RFC 4180 §2, with the separator of the bases
	_ = out.Write(reportHead)          // csv.Writer keeps its first error for Error.
	deadline := http.NewResponseController(w)
	for q.Limit = reportPage; ; {
		p, err := a.Spool.List(q)
		if err != nil {
			a.note(r.Context(), r.Pattern, err)
			panic(http.ErrAbortHandler)
		}
		_ = deadline.SetWriteDeadline(time.Now().Add(answerTime)) // A recorder in a test has none.
		for i := range p.Messages {
			if in.covers(&p.Messages[i]) {
				_ = out.Write(reportLine(&p.Messages[i]))
			}
		}
		out.Flush()
		if p.Next == "" || out.Error() != nil || r.Context().Err() != nil {
			return
		}
		q.Cursor = p.Next
	}
}

func reportLine(m *gateway.Message) []string {
	code := m.Status.Code()
	line := []string{
		idOf(m.IDM), m.Campaign, m.Typed, m.Text, strconv.Itoa(int(m.Priority)), m.Status.String(),
		strconv.Itoa(int(code)), code.String(), m.Reason, m.Channel, strconv.Itoa(int(m.Segments)),
		strconv.Itoa(int(m.Attempts)), m.Agent, m.Data, m.Upload, stamp(m.Created), stamp(m.Finished),
	}
	for i, cell := range line {
		line[i] = inert(cell)
	}
	return line
}

// inert keeps a spreadsheet from running a cell that somebody sent us (CSV
// injection): what looks like a formula gets an apostrophe before it. A number
// with its + is none.
func inert(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) || gateway.Address(cell).E164() {
		return cell
	}
	return "'" + cell
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
