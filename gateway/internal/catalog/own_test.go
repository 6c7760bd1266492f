package catalog

import (
	"testing"
	"time"

	"fieldpost/gateway"
)

func TestEachProviderHasALaneThatNobodyElseCanName(t *testing.T) {
	c := open(t, newMemory())
	lanes := c.OwnLanes()
	if len(lanes) != len(c.Providers()) || len(lanes) == 0 {
		t.Fatalf("%d lanes of %d providers", len(lanes), len(c.Providers()))
	}
	for _, l := range lanes {
		if l.Name != OwnLane(l.Provider.Name) || !l.Own || !l.Enabled || !l.Started || l.DNCR || l.Ports != nil || l.Fault != "" || !l.Schedule.On(time.Unix(0, 0), l.Zone) {
			t.Errorf("lane %+v", l)
		}
		if _, err := c.Resolve(l.Name); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a caller can name %s: %v", l.Name, err)
		}
		if _, err := c.PutCampaign(t.Context(), Campaign{Campaign: gateway.Campaign{Name: l.Name, Provider: l.Provider.Name}}); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("a campaign can be called %s: %v", l.Name, err)
		}
	}
	for _, l := range c.Lanes() {
		if l.Own {
			t.Errorf("%s is listed among the campaigns", l.Name)
		}
	}
}

// Anybody can write a sender: an answer goes to no number that the provider is kept from.
func TestAProvidersOwnLaneKeepsToItsPattern(t *testing.T) {
	c := open(t, newMemory())
	p := bank()
	p.Pattern = `\+598\d+`
	must[Provider](t)(c.PutProvider(t.Context(), p))
	for _, l := range c.OwnLanes() {
		if l.Provider.Name == p.Name && (l.Pattern == nil || l.Pattern.MatchString("+88212345678") || !l.Pattern.MatchString("+59898344484")) {
			t.Errorf("its pattern is %v", l.Pattern)
		}
	}
}
