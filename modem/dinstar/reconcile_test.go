package dinstar

import (
	"testing"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// A box that was installed anew counts its user ids from 1 again, and the gateway still
// knows those of before.
func TestTheFateOfAnotherNumbersMessageIsNotOurs(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
	r.ready(0)
	sent, err := r.send(0, 7, "of before")
	must(t, err)
	if got, err := r.driver.Reconcile(t.Context(), 0, modem.Question{UserID: 7, To: "+59899123456"}); err != nil || got != sent {
		t.Errorf("our own: %+v, %v; want %+v", got, err, sent)
	}
	if got, err := r.driver.Reconcile(t.Context(), 0, modem.Question{UserID: 7, To: "+59899000000"}); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("another number's: %+v, %v", got, err)
	}
}
