package dwg

import "sync"

// seats are where strangers wait until they have logged in.
type seats struct {
	mu    sync.Mutex
	taken int
	of    map[string]int // by address
}

// take gives a stranger a seat; false where there is none for one more of its address.
func (s *seats) take(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= maxStrangers || s.of[host] >= maxOfHost {
		return false
	}
	s.taken++
	s.of[host]++
	return true
}

// leave gives the seat back.
func (s *seats) leave(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.of[host]--; s.of[host] == 0 {
		delete(s.of, host)
	}
}
