package dinstar

import (
	"context"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// performance is the answer to get_status, the only one without an error_code. All its
// values are words; memories are in KiB.
type performance struct {
	CPU         num `json:"cpu_used"` // percent
	FlashTotal  num `json:"flash_total"`
	FlashUsed   num `json:"flash_used"`
	MemoryTotal num `json:"memory_total"`
	MemoryUsed  num `json:"memory_used"`
}

// Inspect asks the gateway for its load and its queue. Older firmware tells only the
// latter.
func (d *Driver) Inspect(ctx context.Context) (modem.Condition, error) {
	s, err := d.at()
	if err != nil {
		return modem.Condition{}, err
	}
	err = s.inspect(ctx)
	a, failed := s.api.get(ctx, "query_sms_in_queue", nil)
	if failed == nil {
		s.learn(a)
		s.queued(a.InQueue)
	}
	if err != nil && failed != nil {
		return modem.Condition{}, err
	}
	return s.present(), nil
}

// Condition gives what the gateway told last.
func (d *Driver) Condition() (modem.Condition, bool) {
	s := d.site.Load()
	if s == nil {
		return modem.Condition{}, false
	}
	c := s.present()
	return c, !c.At.IsZero()
}

func (s *site) present() modem.Condition {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.condition
	c.Serial = s.serial
	return c
}

// status keeps the gateway's load up to date, where its firmware tells it.
func (s *site) status(ctx context.Context) bool {
	if !s.away() && !s.lacks["get_status"] {
		s.lacking("get_status", s.inspect(ctx))
	}
	return false
}

// lacking notes that the firmware does not know a request, so that it is not asked for
// it again and again. A gateway that was away may have come back with another one.
func (s *site) lacking(verb string, err error) {
	if k := gateway.KindOf(err); k == gateway.KindNotFound || k == gateway.KindInvalid {
		if s.lacks == nil {
			s.lacks = map[string]bool{}
		}
		s.lacks[verb] = true
	}
}

// inspect asks for the gateway's load.
func (s *site) inspect(ctx context.Context) error {
	a, err := s.api.post(ctx, s.o.Times.Query, "get_status", []string{"performance"})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, p := &s.condition, a.Performance
	c.At = s.o.Now()
	if p != nil {
		c.CPU = int(min(max(p.CPU.n, 0), 100))
		c.Flash = modem.Store{Used: kib(p.FlashUsed), Total: kib(p.FlashTotal)}
		c.Memory = modem.Store{Used: kib(p.MemoryUsed), Total: kib(p.MemoryTotal)}
	}
	return nil
}

// kib gives the bytes of a number of KiB.
func kib(n num) uint64 { return uint64(min(max(n.n, 0), 1<<40)) << 10 }

// statusEvery is how often the gateway's load is asked for.
const statusEvery = time.Minute

var (
	_ modem.Inspector  = (*Driver)(nil)
	_ modem.CallLister = (*Driver)(nil)
	_ modem.Controller = (*Driver)(nil)
)
