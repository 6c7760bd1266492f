package app

import (
	"context"
	"encoding/json"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/api"
	"fieldpost/gateway/internal/metrics"
)

// newMetrics makes the registry; the API shows it.
func (a *App) newMetrics() (err error) {
	var classes []string
	for _, c := range api.Classes() {
		classes = append(classes, string(c))
	}
	a.metrics, err = metrics.New(metrics.Options{
		Store: a.spool, Channels: a.bank, Devices: a.bank, SIMs: a.sims, Classes: classes, Intake: []string{string(api.ClassSend)},
		Version: a.version, Logger: a.log.With("part", "metrics"),
	})
	return err
}

// observe counts a request.
func (a *App) observe(c api.Class, status int, took time.Duration) {
	a.metrics.Observe(string(c), status, took)
}

// outcomesAtOnce is how many events one look takes.
const outcomesAtOnce = 1000

// countOutcomes counts the messages that reach a status, from the event stream:
// whatever the spool has committed is there.
func (a *App) countOutcomes(ctx context.Context) error {
	seen, changed := a.spool.Tail()
	for {
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
		var last uint64
		last, changed = a.spool.Tail()
		for seen < last && ctx.Err() == nil {
			events, err := a.spool.Events(seen, outcomesAtOnce)
			if err != nil || len(events) == 0 {
				a.log.Warn("outcomes are missing from the metrics", "from", seen, "to", last, "error", err)
				seen = last
				break
			}
			for _, e := range events {
				a.countOutcome(e)
				seen = e.Seq
			}
		}
	}
}

func (a *App) countOutcome(e gateway.Event) {
	if e.Kind != gateway.EventMessage {
		return
	}
	var m gateway.MessageEvent
	if err := json.Unmarshal(e.Body, &m); err != nil {
		a.log.Warn("an outcome is missing from the metrics", "seq", e.Seq, "error", err)
		return
	}
	status, _ := gateway.ParseStatus(m.Status)
	kind, _ := gateway.ParseKind(m.Kind)
	if m.Kind == "" {
		kind = gateway.KindNone
	}
	a.metrics.Outcome(status, kind)
}
