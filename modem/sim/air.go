package sim

import (
	"container/heap"
	"sync"
	"time"
)

// air does things later, in one goroutine, in the order of their time.
type air struct {
	mu      sync.Mutex
	due     later
	seq     uint64
	running bool
	closed  bool
	wake    chan struct{} // capacity 1
	done    chan struct{} // closed when the goroutine has ended
}

func newAir() *air {
	return &air{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// after calls fn after d. fn must not block for long.
func (a *air) after(d time.Duration, fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.seq++
	heap.Push(&a.due, task{time.Now().Add(d), a.seq, fn})
	if !a.running {
		a.running = true
		go a.run()
		return
	}
	if a.due[0].seq == a.seq {
		a.poke()
	}
}

func (a *air) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *air) run() {
	defer close(a.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		fn, wait, closed := a.next()
		switch {
		case closed:
			return
		case fn != nil:
			fn()
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-a.wake:
		}
	}
}

// next gives what is due, or how long to wait for it.
func (a *air) next() (fn func(), wait time.Duration, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, 0, true
	}
	if len(a.due) == 0 {
		return nil, time.Hour, false
	}
	if wait = time.Until(a.due[0].at); wait > 0 {
		return nil, wait, false
	}
	return heap.Pop(&a.due).(task).fn, 0, false
}

// close drops what is not done yet and waits for the goroutine.
func (a *air) close() {
	a.mu.Lock()
	running, first := a.running, !a.closed
	a.closed = true
	a.mu.Unlock()
	if first {
		a.poke()
	}
	if running {
		<-a.done
	}
}

type task struct {
	at  time.Time
	seq uint64
	fn  func()
}

// later is a heap of tasks by time, then by the order in which they came.
type later []task

func (l later) Len() int { return len(l) }
func (l later) Less(i, j int) bool {
	if l[i].at.Equal(l[j].at) {
		return l[i].seq < l[j].seq
	}
	return l[i].at.Before(l[j].at)
}
func (l later) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *later) Push(x any)   { *l = append(*l, x.(task)) }
func (l *later) Pop() any {
	old := *l
	x := old[len(old)-1]
	*l = old[:len(old)-1]
	return x
}
