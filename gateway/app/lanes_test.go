package app

import (
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/catalog"
)

func TestTheChoiceOfAProviderReachesItsLanes(t *testing.T) {
	l := toLane(&catalog.Lane{Name: "d", Provider: gateway.Provider{Name: "bank", Choice: gateway.ChoiceLeastUsed}}, nil)
	if l.Choice != gateway.ChoiceLeastUsed {
		t.Errorf("the lane chooses by %q", l.Choice)
	}
}
