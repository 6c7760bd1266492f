package app

import (
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
	"fieldpost/gateway/internal/dialer"
	"fieldpost/gateway/internal/intake"
	"fieldpost/spool"
)

// routes shows the catalog to the intake.
type routes struct{ *catalog.Catalog }

// Resolve says what a message's campaign means when it comes in.
func (r routes) Resolve(name string) (intake.Route, error) {
	route, err := r.Catalog.Resolve(name)
	return intake.Route{Policy: route.Policy}, err
}

// reasons shows the dialer to the API, in words.
type reasons struct {
	spool  *spool.Spool
	dialer *dialer.Dialer
	zone   *time.Location
}

// Explain says why a message is where it is.
func (r reasons) Explain(idm uint64) []string {
	m, err := r.spool.Message(idm)
	if err != nil {
		return []string{err.Error()}
	}
	if r.dialer.Claimed(idm) && m.Status == gateway.StatusQueued {
		m.Status = gateway.StatusClaimed
	}
	return r.dialer.Explain(m)
}

// Reasons says why a lane sends nothing now.
func (r reasons) Reasons(lane string) []string {
	s, ok := r.dialer.Status(lane)
	if !ok || s.Idle == "" {
		return nil
	}
	why := s.Idle
	if !s.Wake.IsZero() && !strings.Contains(why, " until ") {
		why += "; it goes on at " + s.Wake.In(r.zone).Format("2006-01-02 15:04:05 MST")
	}
	return []string{why}
}
