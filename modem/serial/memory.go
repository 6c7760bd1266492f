package serial

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// The fill of the memory for messages, in percent of its places.
const (
	memoryHigh = 70 // it is swept at once, and the log says so
	memoryLow  = 50 // what a sweep must come down to, or a person hears of it
)

// memoryFill is how full a memory is.
type memoryFill struct {
	name        string
	used, total int
}

func (m memoryFill) reaches(percent int) bool {
	return m.total > 0 && m.used*100 >= m.total*percent
}

// choose makes a memory the one for reading, sending and receiving (TS 27.005 §3.2.2).
func (r *run) choose(ctx context.Context, memory string) error {
	for _, args := range []string{`"%[1]s","%[1]s","%[1]s"`, `"%[1]s","%[1]s"`, `"%[1]s"`} {
		_, err := r.s.Command(ctx, "+CPMS="+fmt.Sprintf(args, memory))
		if err == nil {
			r.home, r.memory = memory, memory
			return nil
		}
		if at.RefusalOf(err) == nil {
			return err
		}
	}
	return nil
}

// read makes a memory the one for reading alone (<mem1>): what arrives meanwhile is kept
// where it always is.
func (r *run) read(ctx context.Context, memory string) error {
	if memory == r.memory || memory == "" {
		return nil
	}
	_, err := r.s.Command(ctx, `+CPMS="`+memory+`"`)
	if err == nil {
		r.memory = memory
	}
	return optional(err)
}

// fill looks how full the memory is where messages are kept. A SIM that is full takes no
// message and says so to nobody, so that a full one is swept at once; where that does
// not help, a person must.
func (r *run) fill(ctx context.Context) error {
	now, err := r.measure(ctx)
	if err != nil || now.total == 0 {
		return err
	}
	if now.reaches(memoryHigh) {
		r.log.Warn("the memory for messages fills up: it is swept", slog.String("memory", now.name), slog.Int("used", now.used), slog.Int("total", now.total))
		if err := r.takeAll(ctx); err != nil {
			return err
		}
		if now, err = r.measure(ctx); err != nil {
			return err
		}
		if now.reaches(memoryLow) && !r.crammed {
			r.crammed = true
			r.o.Alarm(fmt.Sprintf("the memory %s holds %d messages of %d and does not empty: at %d no message comes in any more",
				now.name, now.used, now.total, now.total))
		}
	}
	if !now.reaches(memoryLow) {
		r.crammed = false
	}
	return nil
}

// measure asks how full the memory is, and tells the host.
func (r *run) measure(ctx context.Context) (memoryFill, error) {
	lines, err := r.s.Query(ctx, "+CPMS?", "+CPMS")
	if err := optional(err); err != nil || len(lines) == 0 {
		return memoryFill{}, err
	}
	m, ok := parseFill(lines[0], r.home)
	if ok {
		r.set(func(c *gateway.Channel) { c.Stored, c.Storage = m.used, m.total })
	}
	return m, nil
}

// parseFill reads "SM",3,20,"SM",3,20,"SM",3,20 (TS 27.005 §3.2.2): the memory that is
// asked for, or the first.
func parseFill(args, home string) (memoryFill, bool) {
	var first memoryFill
	f := strings.Split(args, ",")
	for i := 0; i+2 < len(f); i += 3 {
		m := memoryFill{name: strings.ToValidUTF8(strings.Trim(f[i], `" `), "?")}
		var used, total bool
		m.used, used = at.FirstInt(f[i+1])
		m.total, total = at.FirstInt(f[i+2])
		if !used || !total || m.total < 1 || m.total > maxPlaces || m.used > m.total {
			continue // a line that was torn on the way
		}
		if m.name == home {
			return m, true
		}
		if first.total == 0 {
			first = m
		}
	}
	return first, first.total > 0
}

// maxPlaces is more than any memory holds.
const maxPlaces = 10_000
