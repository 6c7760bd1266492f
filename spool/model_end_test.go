package spool

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"fieldpost/gateway"
)

// drop ends a row, or puts it off; one that is not waiting is left as it is.
func (m *model) drop(t *rapid.T) {
	r := m.any(t)
	d := Drop{IDM: r.idm, Text: "so", Status: rapid.SampledFrom([]gateway.Status{
		gateway.StatusBlocked, gateway.StatusExpired, gateway.StatusQueued,
	}).Draw(t, "to")}
	if d.Status == gateway.StatusQueued {
		d.NotBefore = m.clock.now().Add(5 * time.Minute)
	}
	m.step(t, Step{Drops: []Drop{d}})
	if r.status != gateway.StatusQueued || m.atDevice(r.idm) {
		return
	}
	if d.Status == gateway.StatusQueued {
		r.notBefore = d.NotBefore
		return
	}
	r.end(d.Status)
}

func (m *model) cancel(t *rapid.T) {
	r := m.any(t)
	waits := (r.status == gateway.StatusQueued || r.status == gateway.StatusHeld) && !m.atDevice(r.idm)
	err := m.s.Cancel(context.Background(), r.idm, "ana")
	if waits != (err == nil) || !waits && gateway.KindOf(err) != gateway.KindConflict {
		t.Fatalf("cancel of a %s row: %v", r.status, err)
	}
	if waits {
		r.end(gateway.StatusCanceled)
	}
}

func (m *model) expire(t *rapid.T) {
	want := 0
	for _, r := range m.rows {
		waits := r.status == gateway.StatusQueued || r.status == gateway.StatusHeld
		if waits && !m.atDevice(r.idm) && !r.until.IsZero() && !r.until.After(m.clock.now()) {
			r.end(gateway.StatusExpired)
			want++
		}
	}
	if n, err := m.s.Expire(context.Background()); err != nil || n != want {
		t.Fatalf("%d rows expired, want %d (%v)", n, want, err)
	}
}

func (m *model) resolve(t *rapid.T) {
	r := m.any(t)
	as := rapid.SampledFrom([]gateway.Status{gateway.StatusSent, gateway.StatusFailed, gateway.StatusQueued}).Draw(t, "as")
	err := m.s.Resolve(context.Background(), r.idm, as, "ana")
	if (r.status == gateway.StatusUnknown) != (err == nil) {
		t.Fatalf("resolve of a %s row: %v", r.status, err)
	}
	if err != nil {
		return
	}
	switch as {
	case gateway.StatusQueued:
		r.status, r.notBefore = as, time.Time{}
		r.parts = replaced(r.parts, gateway.StatusFailed, gateway.StatusNone)
		return
	case gateway.StatusFailed:
		r.status = as
	case gateway.StatusSent:
		r.status = as
		switch rest := replaced(r.parts, gateway.StatusUnknown, as); {
		case slices.Contains(rest, gateway.StatusFailed):
			r.status = gateway.StatusFailed
		case slices.Contains(rest, gateway.StatusNone):
			r.status, r.notBefore = gateway.StatusQueued, time.Time{}
		}
	}
	r.parts = replaced(r.parts, gateway.StatusUnknown, as)
}

func (m *model) release(t *rapid.T) {
	campaign := rapid.SampledFrom(campaigns()).Draw(t, "campaign")
	n, err := m.s.Release(context.Background(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.rows {
		if r.campaign == campaign && r.status == gateway.StatusHeld {
			r.status = gateway.StatusQueued
			n--
		}
	}
	if n != 0 {
		t.Fatalf("released %d rows too many", n)
	}
}

func (m *model) remove(t *rapid.T) {
	campaign := rapid.SampledFrom(campaigns()).Draw(t, "campaign")
	n, err := m.s.DeleteUnprocessed(context.Background(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	for idm, r := range m.rows {
		switch r.status {
		case gateway.StatusSent, gateway.StatusUnknown:
			continue
		}
		if r.campaign != campaign || m.atDevice(idm) {
			continue
		}
		if n--; r.status == gateway.StatusQueued && slices.Contains(r.parts, gateway.StatusUnknown) {
			r.end(gateway.StatusCanceled)
			continue
		}
		delete(m.rows, idm)
		m.deleted[campaign]++
	}
	if n != 0 {
		t.Fatalf("deleted %d rows too many", n)
	}
}
