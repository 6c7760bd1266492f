package config

import (
	"slices"
	"strconv"
	"strings"

	"fieldpost/gateway"
)

// SIM is what the file says of one card, wherever it is.
type SIM struct {
	ICCID      string
	Number     gateway.Address // "" = as the card says
	Limits     gateway.Limits  // instead of the provider's
	Operator   string          // name of an Operator; "" = the one whose networks the card's IMSI begins with
	ResetDay   int             // 1-28: the day on which its billing month begins
	BalanceLow float64         // instead of the operator's; 0 = the operator's
}

// Cards is what holds for every card.
type Cards struct {
	ConfirmSwap bool // another card than before in a slot sends nothing until a person confirms it
}

// maxResetDay is a day that every month has.
const maxResetDay = 28

// cards reads [sims].
func (r *reader) cards(t *table, c *Cards) {
	c.ConfirmSwap = t.choice("on_swap", "go-on", "go-on", "confirm") == "confirm"
	t.done()
}

// sims reads [[sim]].
func (r *reader) sims(tables []*table, operators []gateway.Operator) []SIM {
	var all []SIM
	seen := map[string]bool{}
	for _, t := range tables {
		s := SIM{
			ICCID:      t.text("iccid", ""),
			Number:     gateway.Address(t.text("number", "")),
			Limits:     r.limits(t.sub("limits")),
			Operator:   t.text("operator", ""),
			ResetDay:   int(t.integer("reset_day", 1, 1, maxResetDay)),
			BalanceLow: t.number("balance_low", 0, 0, maxAmount),
		}
		switch {
		case len(s.ICCID) < 18 || len(s.ICCID) > 22 || !digits(s.ICCID): // ITU-T E.118; some cards tell 18 digits
			t.add(t.at("iccid"), "must be the 18 to 22 digits on the card, such as \"8959801234567890123\"")
		case seen[s.ICCID]:
			t.add(t.at("iccid"), "another sim has the iccid %s already", s.ICCID)
		}
		if s.Number != "" && !s.Number.E164() {
			t.add(t.at("number"), "must be an international number, such as \"+59899000000\"")
		}
		if s.Operator != "" && !slices.ContainsFunc(operators, func(o gateway.Operator) bool { return o.Name == s.Operator }) {
			t.add(t.at("operator"), "no [[operator]] is named %q", s.Operator)
		}
		seen[s.ICCID] = true
		t.done()
		all = append(all, s)
	}
	return all
}

// digits says that a text is decimal digits and nothing else.
func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// indexed is the path of one element of a list.
func indexed(t *table, key string, i int) string { return t.at(key + "." + strconv.Itoa(i)) }
