package access

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses is how many addresses a Throttle remembers unless told otherwise:
// about 1 MiB.
const maxAddresses = 4096

// ThrottleOptions says how much each address may.
type ThrottleOptions struct {
	PerSecond float64
	Burst     int
	Addresses int              // remembered at once; 0 = 4096
	Now       func() time.Time // nil = time.Now
}

// Throttle bounds how often each address does something. The one that it has
// not seen for longest is forgotten when there are too many.
type Throttle struct {
	rate  rate.Limit // set once
	burst int        // set once
	max   int        // set once
	now   func() time.Time

	mu     sync.Mutex
	recent *list.List // of *bucket, most recent first; under mu
	byAddr map[netip.Prefix]*list.Element
}

type bucket struct {
	from  netip.Prefix
	limit *rate.Limiter
}

// NewThrottle makes a throttle.
func NewThrottle(o ThrottleOptions) *Throttle {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Addresses == 0 {
		o.Addresses = maxAddresses
	}
	return &Throttle{
		rate: rate.Limit(o.PerSecond), burst: o.Burst, max: o.Addresses, now: o.Now,
		recent: list.New(), byAddr: make(map[netip.Prefix]*list.Element),
	}
}

// Take asks for one. 0: go on; otherwise the time after which to come again.
func (t *Throttle) Take(from netip.Addr) time.Duration {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.bucket(network(from)).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // A refused try takes nothing from the tries to come.
	}
	return wait
}

func (t *Throttle) bucket(from netip.Prefix) *rate.Limiter {
	if e, ok := t.byAddr[from]; ok {
		t.recent.MoveToFront(e)
		return e.Value.(*bucket).limit
	}
	if t.recent.Len() >= t.max {
		oldest := t.recent.Back()
		delete(t.byAddr, t.recent.Remove(oldest).(*bucket).from)
	}
	b := &bucket{from: from, limit: rate.NewLimiter(t.rate, t.burst)}
	t.byAddr[from] = t.recent.PushFront(b)
	return b.limit
}

// network is what counts as one address: an IPv4 address, or the /64 of an IPv6
// one, in which a single host has as many addresses as it likes (RFC 8981).
func network(a netip.Addr) netip.Prefix {
	if a.Is6() {
		p, _ := a.Prefix(64) // 64 is a length that IPv6 has
		return p
	}
	return netip.PrefixFrom(a, a.BitLen())
}
