package spool

import (
	"context"
	"errors"
)

var errPong = errors.New("nothing to write")

// Ping goes through the writer like any request and writes nothing: it returns
// when the writer turns. An error says that the storage cannot be written, or that
// ctx ended first.
func (s *Spool) Ping(ctx context.Context) error {
	answer := make(chan error, 1)
	s.w.submit(&request{ctx: ctx, fn: func(*tx) error { return clean(errPong) }, done: func(err error) { answer <- err }, weight: 1})
	select {
	case err := <-answer:
		if errors.Is(err, errPong) {
			return nil
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
