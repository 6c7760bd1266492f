package spool

import "sync"

// bell wakes everybody who waits for one thing.
type bell struct {
	// under mu
	mu   sync.Mutex
	next chan struct{} // closed at the next ring; nil while nobody waits
}

// wait gives a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
	}
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
	}
}
