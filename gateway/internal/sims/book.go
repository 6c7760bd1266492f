package sims

import (
	"regexp"

	"fieldpost/gateway"
)

// book knows the operators of the site.
type book struct {
	operators map[string]*operator // by name
	networks  map[string]string    // MCC and MNC to name
	prefixes  map[string]string    // of numbers to name
	longest   int                  // prefix, in bytes
	own       map[string]Own       // by ICCID
}

type operator struct {
	gateway.Operator
	pattern *regexp.Regexp // nil = no balance is asked for
}

func newBook(site *Site) (*book, error) {
	b := &book{operators: map[string]*operator{}, networks: map[string]string{}, prefixes: map[string]string{}, own: site.Own}
	for _, o := range site.Operators {
		one := &operator{Operator: o}
		if o.Balance.Code != "" {
			re, err := regexp.Compile(o.Balance.Pattern)
			if err != nil || re.NumSubexp() == 0 {
				return nil, gateway.Invalid("operator.balance.pattern", "%q is no regular expression with a group for the amount", o.Balance.Pattern)
			}
			one.pattern = re
		}
		if one.Balance.Every <= 0 {
			one.Balance.Every = everyDefault
		}
		b.operators[o.Name] = one
		for _, n := range o.Networks {
			b.networks[n] = o.Name
		}
		for _, p := range o.Prefixes {
			b.prefixes[p] = o.Name
			b.longest = max(b.longest, len(p))
		}
	}
	return b, nil
}

// operatorOf gives the name of a card's operator: what the site says of the card, or
// the network that its IMSI begins with, the longer one first (TS 23.003 §2.2).
func (b *book) operatorOf(c *Card) string {
	if own := b.own[c.ICCID].Operator; own != "" {
		return own
	}
	for _, n := range []int{6, 5} {
		if len(c.IMSI) >= n {
			if name, ok := b.networks[c.IMSI[:n]]; ok {
				return name
			}
		}
	}
	return ""
}

// owner gives the operator of the longest prefix that a number has.
func (b *book) owner(number string) string {
	for n := min(b.longest, len(number)); n > 0; n-- {
		if name, ok := b.prefixes[number[:n]]; ok {
			return name
		}
	}
	return ""
}

// balance gives how a card's balance is asked for; nil = it is not. low is the
// amount below which an alarm is raised; 0 = none is.
func (b *book) balance(c *Card) (o *operator, low float64) {
	o = b.operators[b.operatorOf(c)]
	if o == nil || o.pattern == nil {
		return nil, 0
	}
	if own := b.own[c.ICCID].BalanceLow; own > 0 {
		return o, own
	}
	return o, o.Balance.Low
}
