package config

import (
	"slices"
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestOperatorsAndCardsAreRead(t *testing.T) {
	c, err := Parse("x.toml", []byte(head+`
[[operator]]
name = "Antel"
networks = "74801"
prefixes = ["+59891", "+59899"]
balance = { code = "*222#", pattern = 'saldo ([0-9.]+)', every = "12h", low = 99.5 }
[[operator]]
name = "Claro"
[sims]
on_swap = "confirm"
[[sim]]
iccid = "8959801234567890123"
operator = "Claro"
reset_day = 28
balance_low = 20
[[sim]]
iccid = "8959801234567890124"
`))
	if err != nil {
		t.Fatal(err)
	}
	o := c.Operators[0]
	want := gateway.Balance{Code: "*222#", Pattern: "saldo ([0-9.]+)", Every: 12 * time.Hour, Low: 99.5}
	if o.Name != "Antel" || !slices.Equal(o.Networks, []string{"74801"}) || !slices.Equal(o.Prefixes, []string{"+59891", "+59899"}) || o.Balance != want {
		t.Errorf("the operator is %+v", o)
	}
	if b := c.Operators[1].Balance; b != (gateway.Balance{}) {
		t.Errorf("an operator without a balance has %+v", b)
	}
	if s := c.SIMs[0]; s.Operator != "Claro" || s.ResetDay != 28 || s.BalanceLow != 20 || c.SIMs[1].ResetDay != 1 {
		t.Errorf("the cards are %+v", c.SIMs)
	}
	if !c.Cards.ConfirmSwap {
		t.Error("a swap goes on")
	}
}
