package intake

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

func request() Request {
	return Request{To: "098344484", Text: "This is my SMS", Campaign: "test1", Agent: "ana", Data: "x;\"y\"\n"}
}

func TestP74ToP76Vector6ACompleteCallIsStoredWithItsAgent(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := open(t, t.TempDir(), func(o *Options) { o.Now, o.ValidSingle = at(now), time.Hour })
	added, err := d.Submit(t.Context(), request())
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.spool.Message(added.IDM)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case m.To != "+59898344484" || m.Typed != "098344484":
		t.Errorf("to %s, typed %s", m.To, m.Typed)
	case m.Agent != "ana" || m.Data != "x;\"y\"\n" || m.Text != "This is my SMS":
		t.Errorf("message is %+v", m)
	case m.Priority != gateway.PrioritySingle || m.Status != gateway.StatusQueued || m.Policy != gateway.UnknownResend:
		t.Errorf("priority %d, status %s, policy %d", m.Priority, m.Status, m.Policy)
	case m.Segments != 1 || added.Segments != 1 || !m.ValidUntil.Equal(now.Add(time.Hour)):
		t.Errorf("%d segments, valid until %s", m.Segments, m.ValidUntil)
	}
}

func TestP73Vector6WhatCanNeverWorkIsRefusedWithItsField(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := open(t, t.TempDir(), func(o *Options) { o.Now = at(now) })
	for i, c := range []struct {
		field string
		spoil func(*Request)
	}{
		{"text", func(r *Request) { r.Text = "" }},
		{"text", func(r *Request) { r.Text = " \n" }},
		{"text", func(r *Request) { r.Text = strings.Repeat("x", 6*153+1) }},
		{"text", func(r *Request) { r.Text = "\xff" }},
		{"to", func(r *Request) { r.To = "" }},
		{"to", func(r *Request) { r.To = "0983x4484" }},
		{"to", func(r *Request) { r.To = strings.Repeat("9", 1<<20) }},
		{"campaign", func(r *Request) { r.Campaign = "" }},
		{"campaign", func(r *Request) { r.Campaign = "none" }},
		{"agent", func(r *Request) { r.Agent = strings.Repeat("a", 256) }},
		{"data", func(r *Request) { r.Data = strings.Repeat("a", 4097) }},
		{"data", func(r *Request) { r.Data = "a\x00" }},
		{"source", func(r *Request) { r.Source = "32" }},
		{"source", func(r *Request) { r.Source = "a" }},
		{"valid_until", func(r *Request) { r.ValidUntil = now }},
		{"valid_until", func(r *Request) { r.ValidUntil, r.NotBefore = now.Add(time.Hour), now.Add(2*time.Hour) }},
		{"idempotency_key", func(r *Request) { r.Key = strings.Repeat("k", 256) }},
	} {
		r := request()
		c.spoil(&r)
		_, err := d.Submit(t.Context(), r)
		if refused(t, err, gateway.KindInvalid, c.field); t.Failed() {
			t.Fatalf("case %d", i)
		}
	}
	if n := len(d.messages(t)); n != 0 {
		t.Errorf("%d messages were stored", n)
	}
}

func TestSubmitRepeatedWithItsKeyAddsNothing(t *testing.T) {
	d := open(t, t.TempDir(), nil)
	r := request()
	r.Scope, r.Key = "token", "order-7"
	first, err := d.Submit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Submit(t.Context(), r)
	if err != nil || again.IDM != first.IDM || !again.Repeated {
		t.Errorf("got %+v, %v; first was %+v", again, err, first)
	}
	other := r
	other.Text = "another"
	_, err = d.Submit(t.Context(), other)
	refused(t, err, gateway.KindConflict, "idempotency_key")
	r.Scope = "another caller"
	if added, err := d.Submit(t.Context(), r); err != nil || added.Repeated {
		t.Errorf("another caller's key is the same: %+v, %v", added, err)
	}
}

func TestSubmitKeepsWhatWasAskedFor(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := open(t, t.TempDir(), func(o *Options) { o.Now, o.ValidSingle = at(now), time.Hour })
	r := request()
	first := uint16(0)
	r.Priority, r.Held, r.Source = &first, true, "3"
	r.NotBefore = now.Add(24 * time.Hour)
	added, err := d.Submit(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.spool.Message(added.IDM)
	if err != nil {
		t.Fatal(err)
	}
	if m.Priority != 0 || m.Status != gateway.StatusHeld || m.Source != "3" || !m.NotBefore.Equal(r.NotBefore) {
		t.Errorf("message is %+v", m)
	}
	if want := r.NotBefore.Add(time.Hour); !m.ValidUntil.Equal(want) {
		t.Errorf("valid until %s, want %s: the wait begins when it may leave", m.ValidUntil, want)
	}
}

func TestP70EntryPositionsOnlyGrow(t *testing.T) {
	d := running(t, nil)
	var last uint64
	for range 3 {
		added, err := d.Submit(t.Context(), request())
		if err != nil {
			t.Fatal(err)
		}
		d.base(t, "test1;098344484;hi;1\n")
		if added.IDM <= last {
			t.Errorf("position %d after %d", added.IDM, last)
		}
		last = added.IDM
	}
	ms := d.messages(t)
	for i := 1; i < len(ms); i++ {
		if ms[i].IDM <= ms[i-1].IDM {
			t.Errorf("position %d after %d", ms[i].IDM, ms[i-1].IDM)
		}
	}
}
