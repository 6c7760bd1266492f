package dinstar

import (
	"strings"
	"testing"

	"fieldpost/gateway"
)

// A card's number is the key of what is kept of it: one without an end would make each
// commit of its port fail.
func TestWhatAPortSaysOfItselfIsBounded(t *testing.T) {
	long := text(strings.Repeat("8", 40_000))
	var c gateway.Channel
	info{IMEI: long, IMSI: long, ICCID: long, Number: long, Operator: long, Type: long, Reg: long}.describe(&c)
	for name, s := range map[string]string{
		"IMEI": c.IMEI, "IMSI": c.IMSI, "ICCID": c.ICCID, "number": c.Number, "operator": c.Operator, "model": c.Model, "reason": c.Reason,
	} {
		if len(s) > 2*maxWord {
			t.Errorf("the %s has %d bytes", name, len(s))
		}
	}
}
