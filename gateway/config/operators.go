package config

import (
	"regexp"
	"strings"
	"time"

	"fieldpost/gateway"
)

// Bounds of an operator's keys.
const (
	maxCode    = 182  // characters of a USSD code (TS 22.090 §5.2)
	maxPattern = 1024 // bytes of a pattern
	maxAmount  = 1e12
)

// operators reads [[operator]]. What belongs to one operator cannot be another's:
// a card and a number have one.
func (r *reader) operators(tables []*table) []gateway.Operator {
	var all []gateway.Operator
	seen := map[string]string{} // "name x", "network x" or "prefix x" to the operator that has it
	for _, t := range tables {
		o := gateway.Operator{
			Name:     t.text("name", ""),
			Networks: t.list("networks", nil),
			Prefixes: t.list("prefixes", nil),
			Balance:  r.balance(t.sub("balance")),
		}
		if err := gateway.CheckName("name", o.Name); err != nil {
			t.add(t.at("name"), "%s", textOf(err))
		}
		once(seen, t, t.at("name"), "name", o.Name, o.Name)
		for i, n := range o.Networks {
			if (len(n) != 5 && len(n) != 6) || !digits(n) { // MCC and MNC, TS 23.003 §2.2
				t.add(indexed(t, "networks", i), `%q is no network: write its MCC and MNC, 5 or 6 digits, such as "74801"`, n)
			}
			once(seen, t, indexed(t, "networks", i), "network", n, o.Name)
		}
		for i, p := range o.Prefixes {
			if !prefix(p) {
				t.add(indexed(t, "prefixes", i), `%q is no prefix: write the beginning of international numbers, such as "+59899"`, p)
			}
			once(seen, t, indexed(t, "prefixes", i), "prefix", p, o.Name)
		}
		t.done()
		all = append(all, o)
	}
	return all
}

// once notes a word that an operator has already.
func once(seen map[string]string, t *table, path, what, word, of string) {
	key := what + " " + word
	if first, taken := seen[key]; taken && word != "" && !t.faulty(path) {
		t.add(path, "the %s %s is that of operator %s already", what, word, first)
		return
	}
	seen[key] = of
}

// prefix says that a text begins an E.164 number: + and up to 15 digits, the first no 0.
func prefix(s string) bool {
	d, plus := strings.CutPrefix(s, "+")
	return plus && d != "" && len(d) <= 15 && d[0] != '0' && digits(d)
}

// balance reads [operator.balance]: a code without the pattern that reads its
// answer, or the other way round, would never give a balance.
func (r *reader) balance(t *table) gateway.Balance {
	b := gateway.Balance{
		Code:    t.text("code", ""),
		Pattern: t.text("pattern", ""),
		Every:   t.duration("every", 24*time.Hour, time.Hour, 31*day),
		Low:     t.number("low", 0, 0, maxAmount),
	}
	if len(t.keys) == 0 {
		return gateway.Balance{}
	}
	if !gateway.USSDCode(b.Code) || len(b.Code) > maxCode {
		t.add(t.at("code"), `must be a USSD code of 0-9, *, # and +, such as "*222#"`)
	}
	re, err := regexp.Compile(b.Pattern)
	switch {
	case b.Pattern == "":
		t.add(t.at("pattern"), `is missing: a regular expression whose first group is the amount in the answer, such as "saldo[^0-9]*([0-9.,]+)"`)
	case len(b.Pattern) > maxPattern:
		t.add(t.at("pattern"), "must have at most %d characters", maxPattern)
	case err != nil:
		t.add(t.at("pattern"), "%v", err)
	case re.NumSubexp() == 0:
		t.add(t.at("pattern"), `has no group: put the amount in ( ), such as "saldo[^0-9]*([0-9.,]+)"`)
	}
	t.done()
	return b
}
