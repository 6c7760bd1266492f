package main

import (
	"testing"
	"time"

	"fieldpost/gateway/client"
)

func cards(t *testing.T, b *box) {
	id := b.bank.Modems[0].Card().ICCID()
	b.verb(t, "sims").wants(t, exitDone, id, "bank/0", "Simtel", b.bank.Modems[1].Card().ICCID())
	b.verb(t, "sims", "balance", id).wants(t, exitDone, "42 (low)\n")
	b.verb(t, "sims").wants(t, exitDone, "42 (low)")
	b.verb(t, "status").wants(t, exitDone, "- the balance of SIM "+id+" in bank/0 is 42 (low)")
	b.verb(t, "sims", "hold", id, "").wants(t, exitFault, "reason")
	b.verb(t, "sims", "hold", id, "lent to branch 7").wants(t, exitDone, id+" is held")
	b.verb(t, "sims").wants(t, exitDone, "lent to branch 7")
	b.verb(t, "channels").wants(t, exitDone, "held: lent to branch 7")
	b.verb(t, "status").wants(t, exitDone, "- channel bank/0 is ready, and its SIM is held: lent to branch 7")
	b.verb(t, "sims", "show", id).wants(t, exitDone, "operator    Simtel", "in          bank/0", "because     lent to branch 7", "CHANNEL", "BALANCE")
	b.verb(t, "sims", "confirm", id).wants(t, exitFault, "does not wait to be confirmed")
	other := b.bank.Modems[1].Card().ICCID()
	b.verb(t, "sims", "hold", other, "lent to branch 8").wants(t, exitDone)
	b.verb(t, "sims", "release").wants(t, exitUsage, "wants SIM")
	b.verb(t, "sims", "release", other, id).wants(t, exitDone, other+" may send\n"+id+" may send")
	b.verb(t, "sims", "release", id).wants(t, exitFault, "is not held")
	b.verb(t, "sims", "show", "8959").wants(t, exitFault, `no SIM "8959" was ever seen here`)
	var all []client.SIM
	b.json(t, &all, "sims")
	if len(all) != 2 || all[0].Balance == nil || *all[0].Balance.Amount != 42 || all[0].Held != nil {
		t.Errorf("the cards are %+v", all)
	}
}

func TestAnAnswerIsPrintedAsItCameAndNeverAsAnAmount(t *testing.T) {
	if got := balanceOf(&client.SIMBalance{Text: "no service"}); got != "no answer" {
		t.Errorf("without an answer: %q", got)
	}
	now := time.Now()
	at := client.SIMBalance{Text: "no \x1b[2Jservice", At: &now}
	if got := balanceOf(&at); got != "cannot be read" {
		t.Errorf("an answer that cannot be read: %q", got)
	}
	if err := unread(&at); err == nil || control.MatchString(err.Error()) {
		t.Errorf("it is told as %q", err)
	}
}
