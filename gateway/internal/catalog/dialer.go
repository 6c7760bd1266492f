package catalog

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
)

// MaxInterval is the longest time between two messages of a dialer.
const MaxInterval = 24 * time.Hour

// everyDay is the schedule of a dialer that names none (P40).
const everyDay = "sun,mon,tue,wed,thu,fri,sat;00:00-23:59"

// Dialers lists the dialers by name.
func (c *Catalog) Dialers() []Dialer {
	return sorted(c.now.Load().dialers, Dialer.clone)
}

// Dialer gives one dialer; KindNotFound.
func (c *Catalog) Dialer(name string) (Dialer, error) {
	v, ok := c.now.Load().dialers[name]
	if !ok {
		return Dialer{}, notFound(kindDialer, name)
	}
	return v.clone(), nil
}

// PutDialer makes or replaces a dialer. It never starts or stops one that is there;
// one without a schedule gets every day. KindInvalid names the field; KindConflict
// when the name is taken or the revision is another.
func (c *Catalog) PutDialer(ctx context.Context, v Dialer) (Dialer, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	v = v.clone()
	if err := s.checkDialer(&v.Dialer); err != nil {
		return Dialer{}, err
	}
	old, there := s.dialers[v.Name]
	if err := fresh(kindDialer, v.Name, v.Revision, old.Revision); err != nil {
		return Dialer{}, err
	}
	if there {
		v.Started = old.Started
	}
	return c.putDialer(ctx, v, changeWord(v.Revision))
}

// putDialer writes a checked dialer; the caller holds writing.
func (c *Catalog) putDialer(ctx context.Context, v Dialer, word string) (Dialer, error) {
	rev, err := c.put(ctx, kindDialer, v.Name, v.Revision, v.Dialer, word)
	if err != nil {
		return Dialer{}, err
	}
	v.Revision = rev
	c.publish(func(s *state) { s.dialers[v.Name] = v })
	return v.clone(), nil
}

// DeleteDialer deletes a dialer; KindConflict while rows of it wait. That holds
// for a campaign's dialer too: its rows would leave at once, unpaced.
func (c *Catalog) DeleteDialer(ctx context.Context, name string) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.now.Load()
	if _, ok := s.dialers[name]; !ok {
		return notFound(kindDialer, name)
	}
	_, shared := s.campaigns[name]
	if err := c.remove(ctx, kindDialer, name, name, shared); err != nil {
		return err
	}
	c.publish(func(s *state) { delete(s.dialers, name) })
	return nil
}

func (s *state) checkDialer(v *gateway.Dialer) error {
	if err := gateway.CheckName("name", v.Name); err != nil {
		return err
	}
	if err := s.checkProvider(&v.Provider); err != nil {
		return err
	}
	p := s.providers[v.Provider]
	if err := checkDialString(v.DialString, &p.Provider); err != nil {
		return err
	}
	if err := checkInterval(v.Interval, &p.Provider); err != nil {
		return err
	}
	if err := checkZone(v.Zone); err != nil {
		return err
	}
	if len(v.Schedule) == 0 {
		v.Schedule = []string{everyDay}
	}
	if err := checkSchedule(&v.Schedule); err != nil {
		return err
	}
	if v.Batch < 0 || v.Batch > gateway.MaxBatch {
		return gateway.Invalid("batch", "must be 1 to %d rows, or 0 for %d", gateway.MaxBatch, gateway.MaxBatch)
	}
	return checkPolicy(v.Policy)
}

// checkDialString holds that a port-driven provider's dialer names its ports, and
// no other does (P45-P48). One of the ports must be there; the others may come later.
func checkDialString(s string, p *gateway.Provider) error {
	if !p.NeedsDialString() {
		if s != "" {
			return gateway.Invalid("dial_string", "a %s provider has no ports: leave it empty", p.Type)
		}
		return nil
	}
	ports, err := gateway.ParseDialString(s)
	if err == nil && !reaches(ports, p) {
		err = gateway.Invalid("dial_string", "names no port of provider %s, which has %s", p.Name, portWords(p))
	}
	return err
}

// reaches says that a provider has one of the ports. One that lists none has them in
// its device, where nobody has looked.
func reaches(ports []int, p *gateway.Provider) bool {
	return len(p.Ports) == 0 || slices.ContainsFunc(p.Ports, func(q gateway.Port) bool { return slices.Contains(ports, q.Port) })
}

// portWords names the ports of a provider.
func portWords(p *gateway.Provider) string {
	words := make([]string, len(p.Ports))
	for i, q := range p.Ports {
		words[i] = strconv.Itoa(q.Port)
	}
	if len(words) == 1 {
		return "port " + words[0] + " only"
	}
	return "the ports " + strings.Join(words, ", ")
}

// checkInterval holds the time between messages against the provider's limit
// (P50). 0 means as fast as that allows.
func checkInterval(d time.Duration, p *gateway.Provider) error {
	if d < 0 || d > MaxInterval {
		return gateway.Invalid("interval", "must be 0 to %d ms", MaxInterval.Milliseconds())
	}
	if least := leastInterval(p); d > 0 && d < least {
		return gateway.Invalid("interval", "%d ms would exceed the limit of provider %s, %g messages a second: it must be at least %d ms",
			d.Milliseconds(), p.Name, p.Rate, ceilMillis(least))
	}
	return nil
}

// leastInterval is the time between messages that a provider's rate allows.
func leastInterval(p *gateway.Provider) time.Duration {
	if p.Rate <= 0 {
		return 0
	}
	return min(time.Duration(float64(time.Second)/p.Rate), MaxInterval)
}

func ceilMillis(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
