package dwg

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

func TestAResultNamesTheNumberAsTheGatewayWritesIt(t *testing.T) {
	const number = "+59899123456"
	for _, written := range []string{"59899123456", "0059899123456", "099123456", "99123456"} {
		times := patient
		times.Result = 5 * time.Second
		d, w := serves(t, times)
		m := works(t, d, w)
		got := sends(d, number)
		m.takes(0)
		acknowledged(d)
		m.tells("+59899000000", dwgwire.CodeFailed) // of somebody else
		m.tells(written, dwgwire.CodeOK)
		if err := <-got; err != nil {
			t.Errorf("the result for %s gives %v", written, err)
		}
	}
}

func TestALateResultInAnotherSpellingIsNotTheNextSends(t *testing.T) {
	const number, written = "+59899123456", "099123456"
	times := patient
	times.Result, times.Settle = testTimes.Result, patient.Result
	d, w := serves(t, times)
	m := works(t, d, w)
	got := sends(d, number)
	m.takes(0)
	if err := <-got; gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Fatalf("without a result it gives %v", err)
	}
	if err := <-sends(d, written); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "earlier message") {
		t.Errorf("the next one to the number gives %v, want unavailable until the late result came", err)
	}
	m.tells(written, dwgwire.CodeFailed)
	got = sends(d, number)
	m.takes(0)
	acknowledged(d)
	m.tells(number, dwgwire.CodeOK)
	if err := <-got; err != nil {
		t.Errorf("after the late result it gives %v", err)
	}
}

// A new process does not remember what the gateway owes, and the store does.
func TestAResultForASendOfBeforeTheStartIsNotTheNextSends(t *testing.T) {
	times := patient
	times.Settle = 20 * time.Second
	d, w := servesWith(t, Options{Times: times, Owed: func(time.Duration) []Owed { return []Owed{{0, somebody}, {-1, somebody}} }})
	m := works(t, d, w)
	if err := <-sends(d, somebody); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Fatalf("a send to the number gives %v, want unavailable until the result came", err)
	}
	m.tells(somebody, dwgwire.CodeFailed)
	got := sends(d, somebody)
	m.takes(0)
	acknowledged(d)
	m.tells(somebody, dwgwire.CodeOK)
	if err := <-got; err != nil {
		t.Errorf("after it: %v", err)
	}
}
