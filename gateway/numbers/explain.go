package numbers

import (
	"errors"
	"fmt"

	"fieldpost/gateway"

	"github.com/nyaruka/phonenumbers"
)

// The kinds of address.
const (
	KindE164         = "e164"
	KindShort        = "short"
	KindAlphanumeric = "alphanumeric" // a sender only
)

// Explanation says what a typed number is taken for, and why.
type Explanation struct {
	Typed       string
	Address     gateway.Address // "" when it cannot be sent to
	Kind        string          // KindE164, KindShort or KindAlphanumeric; "" when it is nothing
	Region      string          // ISO 3166-1 alpha-2 of an E.164 number; "" when unknown or of no country
	CountryCode int             // of an E.164 number
	Valid       bool            // the numbering plan has such a number
	Possible    bool            // it has the right length, at least
	Notes       []string        // in words, in the order of the decisions
}

// Explain says what Normalise makes of a typed number.
func (n *Normaliser) Explain(typed string) Explanation {
	x := Explanation{Typed: typed}
	a, err := n.Normalise(typed)
	switch {
	case err != nil:
		x.refused(n, err)
	case a.Short():
		x.Address, x.Kind = a, KindShort
		x.Valid, x.Possible = true, true
		x.note("%d digits are a short code, which is dialled as it is", len(a))
	default:
		x.Address, x.Kind = a, KindE164
		x.origin(n, typed)
		x.plan()
	}
	return x
}

func (x *Explanation) refused(n *Normaliser, err error) {
	var e *gateway.Error
	if errors.As(err, &e) {
		x.note("it %s", e.Text)
	}
	if s := n.Sender(x.Typed); s != "" && !digitsOnly(string(s)) {
		x.Kind = KindAlphanumeric
		x.note("as the sender of a message it may stand; nobody can answer it")
	}
}

// origin notes how the country was found.
func (x *Explanation) origin(n *Normaliser, typed string) {
	t, err := read(typed)
	switch {
	case err != nil:
	case t.plus && t.trunk:
		x.note("(0) is read by the rules of the country that the number names")
	case t.plus:
		x.note("it has its country code, and is taken as it stands")
	case string(x.Address) == "+"+t.digits:
		x.note("it has the country code of %s without the +", n.o.Region)
	case len(t.digits) > 2 && string(x.Address) == "+"+t.digits[2:]:
		x.note("00 stands for +")
	default:
		x.note("it has no country code: read as a number of %s", n.o.Region)
	}
}

// plan notes what the numbering plan says.
func (x *Explanation) plan() {
	number, err := phonenumbers.Parse(string(x.Address), "ZZ")
	if err != nil {
		x.note("no country uses this code")
		return
	}
	x.CountryCode = int(number.GetCountryCode())
	x.Region = country(phonenumbers.GetRegionCodeForNumber(number))
	if x.Region == "" {
		x.Region = country(phonenumbers.GetRegionCodeForCountryCode(x.CountryCode))
	}
	x.Valid = phonenumbers.IsValidNumber(number)
	fault := lengthFault(phonenumbers.IsPossibleNumberWithReason(number))
	x.Possible = fault == ""
	switch {
	case x.Valid:
		x.note("the numbering plan has such a number")
	case x.Possible:
		x.note("it has the right length, but the numbering plan as we know it has no such number; it is sent all the same")
	default:
		x.note("by the numbering plan as we know it, it %s; it is sent all the same", fault)
	}
}

// country drops the codes that stand for no country: "001" for the world, "ZZ" for unknown.
func country(region string) string {
	if region == phonenumbers.UNKNOWN_REGION || region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
		return ""
	}
	return region
}

func (x *Explanation) note(format string, args ...any) {
	x.Notes = append(x.Notes, fmt.Sprintf(format, args...))
}
