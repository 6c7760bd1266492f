package intake

import (
	"context"
	"crypto/sha256"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// Reply is an answer of the box itself to a customer's message. Only the daemon makes
// one: its lane is no campaign, and no caller can name it.
type Reply struct {
	Lane  string // catalog.OwnLane of the provider that the customer's message came in by
	Port  string // of it; the answer leaves there
	To    gateway.Address
	Text  string
	Until time.Time // it is not sent later
	Scope string    // of the key
	Key   string    // names what is answered: the same again adds nothing, whatever the text
}

// Reply takes an answer and returns when it is on disk. KindInvalid says that it can
// never be sent.
func (i *Intake) Reply(ctx context.Context, r Reply) (spool.Added, error) {
	if _, ok := r.To.Packed(); !ok {
		return spool.Added{}, gateway.Invalid("to", "%s is no number", r.To.Masked())
	}
	plan, err := i.text.Plan(r.Text)
	if err != nil {
		return spool.Added{}, refield(err, "text")
	}
	m := gateway.Message{
		Campaign: r.Lane, To: r.To, Typed: string(r.To), Text: r.Text, Source: r.Port, Agent: "fieldpost",
		Priority: gateway.PrioritySingle, Policy: gateway.UnknownHold, Created: i.o.Now().UTC(), ValidUntil: r.Until.UTC(),
		Status: gateway.StatusQueued, Encoding: plan.Encoding, Segments: uint8(plan.Segments),
	}
	return i.o.Store.Add(ctx, m, spool.Idempotency{Scope: r.Scope, Key: r.Key, Body: sha256.Sum256([]byte(r.Key))})
}
