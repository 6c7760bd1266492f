package numbers

import (
	"errors"
	"strings"

	"fieldpost/gateway"

	"github.com/nyaruka/phonenumbers"
)

// Field is the field of every error of this package.
const Field = "number"

// Options of a Normaliser.
type Options struct {
	Region     string // ISO 3166-1 alpha-2 code whose national numbers are understood; "" = none are
	ShortCodes bool   // 2 to 6 digits are a short code; otherwise they are refused
}

// Normaliser turns typed numbers into addresses. It is safe for concurrent use.
type Normaliser struct {
	o    Options
	memo memo
}

// New makes a Normaliser. It refuses, with kind invalid and field "region", a
// region that the numbering plans do not know.
func New(o Options) (*Normaliser, error) {
	o.Region = strings.ToUpper(o.Region)
	if o.Region != "" && phonenumbers.GetCountryCodeForRegion(o.Region) == 0 {
		return nil, gateway.Invalid("region", "is no country code of two letters, such as UY")
	}
	n := &Normaliser{o: o}
	n.memo.plan = n.national
	return n, nil
}

// Normalise gives the address of a typed number: E.164 or a short code. The error
// is of kind invalid and says what would be right.
func (n *Normaliser) Normalise(typed string) (gateway.Address, error) {
	if a := gateway.Address(typed); a.E164() {
		return a, nil
	}
	t, err := read(typed)
	if err != nil {
		return "", err
	}
	return n.resolve(t)
}

func (n *Normaliser) resolve(t typedNumber) (gateway.Address, error) {
	switch {
	case t.plus && t.trunk:
		// "+44 (0)20": the plan of the country says whether the 0 belongs to it, as
		// in Italy, or not.
		return n.national("+" + t.digits)
	case t.plus:
		return international(t.digits)
	case len(t.digits) <= 6:
		return n.short(t.digits)
	case strings.HasPrefix(t.digits, "00"):
		return international(t.digits[2:])
	}
	return n.memo.address(t.digits)
}

func international(digits string) (gateway.Address, error) {
	if a := gateway.Address("+" + digits); a.E164() {
		return a, nil
	}
	if strings.HasPrefix(digits, "0") {
		return "", gateway.Invalid(Field, "has a 0 where a country code should be")
	}
	return "", gateway.Invalid(Field, "has %d digits; an international number has 7 to 15 with its country code", len(digits))
}

func (n *Normaliser) short(digits string) (gateway.Address, error) {
	a := gateway.Address(digits)
	switch {
	case !a.Short():
		return "", gateway.Invalid(Field, "has %d digit, which is too short for any number", len(digits))
	case !n.o.ShortCodes:
		return "", gateway.Invalid(Field, "is a short code of %d digits, and short codes are not allowed here", len(digits))
	}
	return a, nil
}

// national asks the numbering plans. The length is checked, since a wrong one is
// nearly always a slip; the leading digits are not, since plans change faster than
// programs.
func (n *Normaliser) national(digits string) (gateway.Address, error) {
	if n.o.Region == "" && digits[0] != '+' {
		return "", gateway.Invalid(Field, "has no country code, and the site has no region: write + and the country code")
	}
	number, err := phonenumbers.Parse(digits, n.o.Region)
	if err != nil {
		return "", n.unreadable(err)
	}
	region := phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode()))
	if reason := lengthFault(phonenumbers.IsPossibleNumberWithReason(number)); reason != "" {
		return "", gateway.Invalid(Field, "%s for a number of %s; write + and the country code if it is right", reason, region)
	}
	a := gateway.Address(phonenumbers.Format(number, phonenumbers.E164))
	if !a.E164() {
		return "", gateway.Invalid(Field, "gives no international number of 7 to 15 digits in %s", region)
	}
	return a, nil
}

func (n *Normaliser) unreadable(err error) error {
	switch {
	case errors.Is(err, phonenumbers.ErrTooShortNSN):
		return gateway.Invalid(Field, "is too short for a number of %s", n.o.Region)
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return gateway.Invalid(Field, "is too long for a number of %s", n.o.Region)
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return gateway.Invalid(Field, "has a country code that nobody uses")
	}
	return gateway.Invalid(Field, "is no number of %s", n.o.Region)
}

// lengthFault says what is wrong with a length; "" when nothing is.
func lengthFault(r phonenumbers.ValidationResult) string {
	switch r {
	case phonenumbers.IS_POSSIBLE:
		return ""
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return "lacks the area code"
	case phonenumbers.TOO_SHORT:
		return "has too few digits"
	case phonenumbers.TOO_LONG:
		return "has too many digits"
	}
	return "has a length that does not exist"
}
