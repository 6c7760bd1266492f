package sim

import "sync"

// The states of a stored message (TS 27.005 §3.1 <stat>).
const (
	unread = iota
	read
	unsent
	sent
)

// stored is a message in a slot.
type stored struct {
	stat int
	pdu  []byte // with its SMSC
}

// slot is a stored message with its index, from 1.
type slot struct {
	index int
	stored
}

// store is a memory of messages with a number of slots.
type store struct {
	mu    sync.Mutex
	slots []*stored
	n     int
}

func newStore(slots int) *store { return &store{slots: make([]*stored, slots)} }

func (s *store) size() int { return len(s.slots) }

func (s *store) used() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// put stores in the first free slot and gives its index; false when there is none.
func (s *store) put(stat int, pdu []byte) (index int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.slots {
		if m == nil {
			s.slots[i] = &stored{stat, pdu}
			s.n++
			return i + 1, true
		}
	}
	return 0, false
}

// get gives a slot and marks it read. The index is out of range when ok is
// false; the slot is empty when its pdu is nil.
func (s *store) get(index int) (m stored, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index < 1 || index > len(s.slots) {
		return stored{}, false
	}
	p := s.slots[index-1]
	if p == nil {
		return stored{}, true
	}
	m = *p
	if p.stat == unread {
		p.stat = read
	}
	return m, true
}

// list gives the slots of a state, 4 for all (TS 27.005 §3.4.2), and marks them read.
func (s *store) list(stat int) []slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []slot
	for i, m := range s.slots {
		if m == nil || stat != 4 && m.stat != stat {
			continue
		}
		all = append(all, slot{i + 1, *m})
		if m.stat == unread {
			m.stat = read
		}
	}
	return all
}

// drop empties a slot; an empty one is no error.
func (s *store) drop(index int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index < 1 || index > len(s.slots) {
		return false
	}
	if s.slots[index-1] != nil {
		s.slots[index-1] = nil
		s.n--
	}
	return true
}

// dropAll empties by <delflag> 1 to 4 (TS 27.005 §3.5.4).
func (s *store) dropAll(flag int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.slots {
		if m == nil {
			continue
		}
		gone := flag == 4 || m.stat == read || flag >= 2 && m.stat == sent || flag >= 3 && m.stat == unsent
		if gone {
			s.slots[i] = nil
			s.n--
		}
	}
}
