package intake

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Bounds of a message's fields, in bytes.
const (
	maxTyped = 64
	maxAgent = 255
	maxData  = 4096
)

// Request asks for one message.
type Request struct {
	To         string // as it was typed
	Text       string
	Campaign   string
	Agent      string
	Data       string
	Source     string  // a port, "0" to "31"; "" = the ring's choice
	Priority   *uint16 // nil = gateway.PrioritySingle
	NotBefore  time.Time
	ValidUntil time.Time // zero = as the options say
	Held       bool      // stored, not released
	Scope, Key string    `json:"-"` // who calls, and the idempotency key; "" = the call is not repeatable
}

// Submit takes one message and returns when it is on disk. KindInvalid names the
// field that can never work; KindConflict says that the key was used for another
// request.
func (i *Intake) Submit(ctx context.Context, r Request) (spool.Added, error) {
	now := i.o.Now().UTC()
	if err := r.check(now); err != nil {
		return spool.Added{}, err
	}
	route, err := i.o.Catalog.Resolve(r.Campaign)
	if err != nil {
		return spool.Added{}, err
	}
	to, err := i.o.Numbers.Normalise(r.To)
	if err != nil {
		return spool.Added{}, refield(err, "to")
	}
	plan, err := i.text.Plan(r.Text)
	if err != nil {
		return spool.Added{}, refield(err, "text")
	}
	m := gateway.Message{
		Campaign: r.Campaign, To: to, Typed: r.To, Text: r.Text, Data: r.Data, Agent: r.Agent, Source: r.Source,
		Priority: gateway.PrioritySingle, Policy: route.Policy,
		Created: now, NotBefore: r.NotBefore.UTC(), ValidUntil: r.ValidUntil.UTC(),
		Status: gateway.StatusQueued, Encoding: plan.Encoding, Segments: uint8(plan.Segments),
	}
	if r.Priority != nil {
		m.Priority = *r.Priority
	}
	if r.Held {
		m.Status = gateway.StatusHeld
	}
	if m.ValidUntil.IsZero() && i.o.ValidSingle > 0 {
		m.ValidUntil = latest(now, m.NotBefore).Add(i.o.ValidSingle)
	}
	key, err := r.key()
	if err != nil {
		return spool.Added{}, err
	}
	return i.o.Store.Add(ctx, m, key)
}

func (r *Request) check(now time.Time) error {
	if err := r.present(); err != nil {
		return err
	}
	for _, f := range []struct {
		name, text string
		most       int
	}{{"to", r.To, maxTyped}, {"agent", r.Agent, maxAgent}, {"data", r.Data, maxData}} {
		if err := checkField(f.name, f.text, f.most); err != nil {
			return err
		}
	}
	if port, err := strconv.ParseUint(r.Source, 10, 8); r.Source != "" && (err != nil || port > gateway.MaxPort) {
		return gateway.Invalid("source", "must be a port, 0 to %d", gateway.MaxPort)
	}
	if v := r.ValidUntil; !v.IsZero() {
		if !v.After(now) {
			return gateway.Invalid("valid_until", "has passed already")
		}
		if !v.After(r.NotBefore) {
			return gateway.Invalid("valid_until", "must be after not_before")
		}
	}
	return nil
}

func (r *Request) present() error {
	for _, f := range []struct{ name, text string }{{"to", r.To}, {"text", r.Text}, {"campaign", r.Campaign}} {
		if strings.TrimSpace(f.text) == "" {
			return gateway.Invalid(f.name, "is missing")
		}
	}
	return nil
}

// key is the idempotency key with the hash of all that was asked for.
func (r *Request) key() (spool.Idempotency, error) {
	if r.Key == "" {
		return spool.Idempotency{}, nil
	}
	body, err := json.Marshal(r)
	if err != nil {
		return spool.Idempotency{}, fmt.Errorf("hash the request: %w", err)
	}
	return spool.Idempotency{Scope: r.Scope, Key: r.Key, Body: sha256.Sum256(body)}, nil
}

// checkField refuses what a field cannot hold.
func checkField(name, text string, most int) error {
	switch {
	case len(text) > most:
		return gateway.Invalid(name, "has %d bytes; at most %d are allowed", len(text), most)
	case !utf8.ValidString(text):
		return gateway.Invalid(name, "is not UTF-8")
	case strings.IndexByte(text, 0) >= 0:
		return gateway.Invalid(name, "holds a zero byte")
	}
	return nil
}

// refield gives an error the name that the caller knows the field by.
func refield(err error, field string) error {
	var e *gateway.Error
	if !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Field = field
	return &named
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
