package gateway

import (
	"strings"
	"time"
)

// Operator is a mobile network operator, in so far as the site says what of it matters.
type Operator struct {
	Name     string   `json:"name"`
	Networks []string `json:"networks,omitempty"` // MCC and MNC, 5 or 6 digits: the IMSIs of its SIMs begin so (TS 23.003 §2.2)
	Prefixes []string `json:"prefixes,omitempty"` // of E.164 numbers that are its own, such as +59899
	Balance  Balance  `json:"balance,omitzero"`
}

// Balance says how the balance of an operator's SIMs is asked for.
type Balance struct {
	Code    string        `json:"code,omitempty"`    // USSD code, such as *222#; "" = never ask
	Pattern string        `json:"pattern,omitempty"` // regular expression; its first group is the amount
	Every   time.Duration `json:"every,omitempty"`   // 0 = 24 h
	Low     float64       `json:"low,omitempty"`     // an amount below this raises an alarm; 0 = none does
}

// USSDCode says that a text can be dialled as a USSD code: digits, *, # and +.
func USSDCode(s string) bool { return s != "" && strings.Trim(s, "0123456789*#+") == "" }
