package api

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"

	"fieldpost/gateway"
)

// maxReplies is how many answers are kept for a repeated Idempotency-Key.
const maxReplies = 1024

// replies remembers the answers to calls that made a definition, so that a call
// whose answer was lost can be repeated. Messages and bases have their keys on
// disk; a definition and a token have their names, which a repeat after a restart
// finds taken.
type replies struct {
	mu    sync.Mutex
	order *list.List // of *reply, newest first
	byKey map[string]*list.Element
}

type reply struct {
	key  string
	body [sha256.Size]byte
	out  any
}

// once makes something once for each key of a caller. The same key with another
// body is KindConflict. Two calls with one key at the same time go one after the
// other; a call that failed leaves no trace.
func once[T, In any](ctx context.Context, a *API, what, key string, in In, create func() (T, error)) (T, error) {
	if key == "" {
		return create()
	}
	b, err := json.Marshal(in)
	if err != nil {
		var none T
		return none, gateway.Errorf(gateway.KindInternal, "the request has no JSON form: %w", err)
	}
	hash := sha256.Sum256(b)
	at := what + "\x00" + callerOf(ctx).ID + "\x00" + key
	r := &a.made
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.byKey[at]; ok {
		old := e.Value.(*reply)
		if old.body != hash {
			var none T
			return none, keyConflict()
		}
		return old.out.(T), nil
	}
	out, err := create()
	if err == nil {
		r.keep(&reply{key: at, body: hash, out: out})
	}
	return out, err
}

func keyConflict() error {
	return &gateway.Error{Kind: gateway.KindConflict, Field: "Idempotency-Key", Text: "was used before with another body"}
}

func (r *replies) keep(one *reply) {
	if r.order == nil {
		r.order, r.byKey = list.New(), map[string]*list.Element{}
	}
	if r.order.Len() >= maxReplies {
		delete(r.byKey, r.order.Remove(r.order.Back()).(*reply).key)
	}
	r.byKey[one.key] = r.order.PushFront(one)
}
