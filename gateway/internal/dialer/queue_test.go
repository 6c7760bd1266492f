package dialer

import (
	"sync"
	"sync/atomic"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// countingQueue counts what the dialer asks of its queue.
type countingQueue struct {
	Queue
	claims atomic.Int64
	steps  atomic.Int64
}

func (q *countingQueue) Claim(c spool.Claim) (spool.Claimed, error) {
	q.claims.Add(1)
	return q.Queue.Claim(c)
}

func (q *countingQueue) Step(st spool.Step, done func(spool.Stepped)) {
	q.steps.Add(1)
	q.Queue.Step(st, done)
}

// slowQueue answers every other step 100 ms late, as a worn card does.
type slowQueue struct {
	Queue
	n atomic.Int64
}

func (q *slowQueue) Step(st spool.Step, done func(spool.Stepped)) {
	late := q.n.Add(1)%2 == 1
	q.Queue.Step(st, func(r spool.Stepped) {
		if late {
			time.AfterFunc(100*time.Millisecond, func() { done(r) })
			return
		}
		done(r)
	})
}

// brokenQueue refuses steps while it is broken.
type brokenQueue struct {
	Queue
	mu     sync.Mutex
	broken bool
	tries  int
}

func (q *brokenQueue) set(broken bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.broken = broken
}

func (q *brokenQueue) isBroken() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.broken
}

func (q *brokenQueue) Step(st spool.Step, done func(spool.Stepped)) {
	q.mu.Lock()
	broken := q.broken
	if broken {
		q.tries++
	}
	q.mu.Unlock()
	if broken {
		go done(spool.Stepped{Err: gateway.Errorf(gateway.KindUnavailable, "the disk is full")})
		return
	}
	q.Queue.Step(st, done)
}

// lateQueue lets whatever a claim has to write first wait until it is let go, as a
// disk that does not sync.
type lateQueue struct {
	Queue
	letGo  chan struct{}
	writes atomic.Int64 // claims that may wait for a commit
}

func (q *lateQueue) Claim(c spool.Claim) (spool.Claimed, error) {
	if !c.Peek {
		q.writes.Add(1)
		<-q.letGo
	}
	return q.Queue.Claim(c)
}

func (q *lateQueue) Ready(campaign string, damaged uint64) error {
	<-q.letGo
	return q.Queue.Ready(campaign, damaged)
}

// refusingQueue refuses some steps for a fault of what they speak of.
type refusingQueue struct {
	Queue
	refuses func(*spool.Step) bool
	tries   atomic.Int64
}

func (q *refusingQueue) Step(st spool.Step, done func(spool.Stepped)) {
	if q.refuses(&st) {
		q.tries.Add(1)
		go done(spool.Stepped{Err: gateway.Errorf(gateway.KindInternal, "a record cannot be read")})
		return
	}
	q.Queue.Step(st, done)
}

// damagedQueue has a record that cannot be read until it is put aside.
type damagedQueue struct {
	Queue
	row  uint64
	told atomic.Int64
}

func (q *damagedQueue) Claim(c spool.Claim) (spool.Claimed, error) {
	got, err := q.Queue.Claim(c)
	if q.told.Load() > 0 || c.After.IDM >= q.row || got.Next.IDM < q.row {
		return got, err
	}
	got.More, got.Due, got.Damaged, got.Next.IDM = true, true, q.row, q.row
	got.Messages = nil
	return got, err
}

func (q *damagedQueue) Ready(campaign string, damaged uint64) error {
	if damaged == q.row {
		q.told.Add(1)
		damaged = 0
	}
	return q.Queue.Ready(campaign, damaged)
}

// unreadyQueue cannot put the queue of one campaign in order while it is bad.
type unreadyQueue struct {
	Queue
	campaign string
	bad      atomic.Bool
	tries    atomic.Int32
}

func (q *unreadyQueue) Ready(campaign string, damaged uint64) error {
	if campaign == q.campaign && q.bad.Load() {
		q.tries.Add(1)
		return gateway.Errorf(gateway.KindInternal, "an index is damaged")
	}
	return q.Queue.Ready(campaign, damaged)
}
