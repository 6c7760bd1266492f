package numbers

import (
	"strings"
	"sync"

	"fieldpost/gateway"
)

const (
	// tail is how many digits at the end are left out of a memo's key.
	tail = 4

	// maxMemo bounds the memo: about 2 MiB.
	maxMemo = 1 << 14

	// proveAfter is how often a beginning must be seen before it is proven. A proof
	// costs as much as the look-ups of ten numbers, so that even a base in which it
	// never pays takes at most about twice as long.
	proveAfter = 10
)

// memo remembers what the beginnings of national numbers become. A numbering plan
// looks at the length and the first digits; the last four are copied. Where a plan
// does look at the last ones, the proof fails and the beginning stays unremembered.
type memo struct {
	plan  func(digits string) (gateway.Address, error) // set once; the slow, true answer
	mu    sync.RWMutex
	known map[beginning]*becomes // under mu
}

// beginning is a national number without its last digits.
type beginning struct {
	digits uint64
	length uint8 // of the whole number, so that leading zeros count
}

type becomes struct {
	seen   int    // how often it was looked up; under memo.mu
	proven bool   // prefix holds for every tail; set once, under memo.mu
	prefix string // E.164 but for the tail
}

// address is plan with a memory.
func (m *memo) address(digits string) (gateway.Address, error) {
	key, ok := begin(digits)
	if !ok {
		return m.plan(digits)
	}
	if prefix, ok := m.prefix(key); ok {
		return gateway.Address(prefix + digits[len(digits)-tail:]), nil
	}
	a, err := m.plan(digits)
	if err == nil && m.count(key) {
		m.prove(key, digits, a)
	}
	return a, err
}

// prove asks the plan for ten other tails, one with each digit at each place, and
// remembers the beginning when all of them agree.
func (m *memo) prove(key beginning, digits string, a gateway.Address) {
	head, ending := digits[:len(digits)-tail], digits[len(digits)-tail:]
	prefix, ok := strings.CutSuffix(string(a), ending)
	for d := '0'; ok && d <= '9'; d++ {
		other := strings.Repeat(string(d), tail)
		got, err := m.plan(head + other)
		ok = err == nil && string(got) == prefix+other
	}
	if ok {
		m.keep(key, prefix)
	}
}

// begin gives a number's key; not for one that is too long for it, or so short that
// its last digits may matter.
func begin(digits string) (beginning, bool) {
	if len(digits) < tail+4 || len(digits) > 18 {
		return beginning{}, false
	}
	k := beginning{length: uint8(len(digits))}
	for _, d := range []byte(digits[:len(digits)-tail]) {
		k.digits = k.digits*10 + uint64(d-'0')
	}
	return k, true
}

func (m *memo) prefix(key beginning) (string, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if b := m.known[key]; b != nil && b.proven {
		return b.prefix, true
	}
	return "", false
}

// count says that a beginning has now been seen often enough to prove it.
func (m *memo) count(key beginning) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.known[key]
	if b == nil {
		if m.known == nil || len(m.known) >= maxMemo {
			m.known = make(map[beginning]*becomes)
		}
		b = &becomes{}
		m.known[key] = b
	}
	b.seen++
	return b.seen == proveAfter
}

func (m *memo) keep(key beginning, prefix string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.known[key]; b != nil {
		b.prefix, b.proven = prefix, true
	}
}
