package app

import (
	"context"
	"io"
	"log/slog"
	"os"
)

// NewLogger makes the daemon's logger: text or JSON, from a level on. Under
// systemd each line begins with its syslog priority (sd-daemon(3)) and has no time
// of its own: the journal knows both.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: least}
	if os.Getenv("JOURNAL_STREAM") == "" {
		return slog.New(newHandler(w, format, o))
	}
	o.ReplaceAttr = withoutTimeAndLevel
	j := journal{}
	for i, p := range priorities {
		j[i] = newHandler(prefixed{w, p.mark}, format, o)
	}
	return slog.New(j)
}

func newHandler(w io.Writer, format string, o *slog.HandlerOptions) slog.Handler {
	if format == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

func withoutTimeAndLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// priorities are the levels with the marks of sd-daemon(3), the highest first.
var priorities = [...]struct {
	from slog.Level
	mark string
}{
	{slog.LevelError, "<3>"},
	{slog.LevelWarn, "<4>"},
	{slog.LevelInfo, "<6>"},
	{slog.LevelDebug, "<7>"},
}

// journal has a handler a priority.
type journal [len(priorities)]slog.Handler

// of gives the handler of a level.
func (j journal) of(l slog.Level) slog.Handler {
	for i, p := range priorities {
		if l >= p.from {
			return j[i]
		}
	}
	return j[len(j)-1]
}

// Enabled says whether the level is logged.
func (j journal) Enabled(ctx context.Context, l slog.Level) bool { return j.of(l).Enabled(ctx, l) }

// Handle writes one record with its mark.
func (j journal) Handle(ctx context.Context, r slog.Record) error {
	return j.of(r.Level).Handle(ctx, r)
}

// WithAttrs gives a journal whose every record has attrs.
func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	for i := range j {
		j[i] = j[i].WithAttrs(attrs)
	}
	return j
}

// WithGroup gives a journal whose later attributes stand in a group.
func (j journal) WithGroup(name string) slog.Handler {
	for i := range j {
		j[i] = j[i].WithGroup(name)
	}
	return j
}

// prefixed puts a mark before each line; a handler writes a line a call.
type prefixed struct {
	w    io.Writer
	mark string
}

// Write writes the mark and the line in one call.
func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.mark), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
