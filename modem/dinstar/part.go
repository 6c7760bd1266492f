package dinstar

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// What is kept of a row, in bytes; the host takes no more. The longest text that there is
// has 255 segments of 153 letters (TS 23.040 §9.2.3.24.1).
const (
	maxKept = 128 << 10 // of its text
	maxWord = 128       // of a number or a time
)

// maxNameless bounds how many rows without an id are remembered.
const maxNameless = 4096

// part is a row of the inbox as the host takes it. The gateway joined it already.
func (s *site) part(m message, id string) modem.Part {
	p := modem.Part{
		Port: int(m.Port.n), IMSI: m.IMSI.short(), From: m.Number.short(), SMSC: m.SMSC.short(), Text: cut(string(m.Text), maxKept),
		Raw: fmt.Sprintf("dinstar %d %s", m.ID.n, m.Time.short()), ID: id, SentAt: s.sentAt(m.Time),
	}
	if len(p.Text) < len(m.Text) || p.From != m.Number.word() {
		p.Undecoded = "the gateway tells more of it than any message has: it is cut"
	}
	if c, ok := s.channel(p.Port); ok && (p.IMSI == "" || p.IMSI == c.IMSI) {
		p.ICCID, p.IMSI = c.ICCID, c.IMSI
	}
	if m.Port.n < 0 || m.Port.n > gateway.MaxPort {
		p.Port, p.Undecoded = 0, "the gateway names no port for it"
	}
	return p
}

// cut gives the first bytes of a text, in whole letters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// identity names a row for good. The id alone does not: it starts again with the
// gateway, whose clock may then start at the same time again. Nor does the text alone:
// a tracker sends the same one again.
func identity(gateway string, m message) string {
	sum := sha256.Sum256([]byte(m.Text))
	return fmt.Sprintf("dinstar %s %d %d %q %q %x", gateway, m.ID.n, m.Port.n, m.Number.word(), m.Time.word(), sum[:8])
}

// short is an identity for a list that is kept.
func short(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}

// ahead is how far a time may be ahead of our clock.
const ahead = 15 * time.Minute

// oldest is before any gateway with this API: an earlier time is that of a clock that
// was never set.
func oldest() time.Time { return time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC) }

func plausible(at, now time.Time) bool { return at.After(oldest()) && at.Before(now.Add(ahead)) }

// sentAt reads the time of an inbound message: the network's, in the zone of the gateway.
// Where that cannot be it is taken as one of the gateway's own clock, and left open
// where that cannot be either.
func (s *site) sentAt(t text) time.Time {
	now := s.o.Now()
	if at, ok := stamp(t, s.o.Zone); ok && plausible(at, now) {
		return at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.clock.ours(t); ok && plausible(at, now) {
		return at
	}
	return time.Time{}
}
