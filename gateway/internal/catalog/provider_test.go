package catalog

import (
	"fmt"
	"strings"
	"testing"

	"fieldpost/gateway"
)

func TestProviderInUseCannotBeDeleted(t *testing.T) {
	c := open(t, newMemory())
	must[Provider](t)(c.PutProvider(t.Context(), bank()))
	v := campaign("alerts")
	v.Provider = "bank"
	must[Campaign](t)(c.PutCampaign(t.Context(), v))
	err := c.DeleteProvider(t.Context(), "bank")
	refused(t, err, gateway.KindConflict, "")
	if !strings.Contains(err.Error(), "campaign alerts") {
		t.Errorf("%v does not say by what", err)
	}
	if err := c.DeleteCampaign(t.Context(), "alerts"); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteProvider(t.Context(), "bank"); err != nil {
		t.Error(err)
	}
	if _, err := c.Provider("bank"); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("it is still there: %v", err)
	}
}

func TestManagedProvidersAreReadOnly(t *testing.T) {
	c := open(t, newMemory())
	_, err := c.PutProvider(t.Context(), rack())
	refused(t, err, gateway.KindConflict, "")
	refused(t, c.DeleteProvider(t.Context(), "rack"), gateway.KindConflict, "")
}

func TestADeviceServesOneProviderAtATime(t *testing.T) {
	c := open(t, newMemory())
	must[Provider](t)(c.PutProvider(t.Context(), bank()))
	thief := bank()
	thief.Name = "thief"
	_, err := c.PutProvider(t.Context(), thief)
	refused(t, err, gateway.KindConflict, "port[0].device")
	thief.Enabled = new(bool)
	thief = must[Provider](t)(c.PutProvider(t.Context(), thief))
	thief.Enabled = nil
	_, err = c.PutProvider(t.Context(), thief)
	refused(t, err, gateway.KindConflict, "port[0].device")
}

func TestAGatewayServesOneProviderAtATime(t *testing.T) {
	for typ, urls := range map[string][2]string{
		gateway.TypeDinstar:    {"tcp://0.0.0.0:10003", "tcp://192.0.2.2:10003"},
		gateway.TypeDinstarWeb: {"http://192.0.2.20", "http://192.0.2.20:80/"},
	} {
		c := open(t, newMemory())
		p := Provider{Provider: gateway.Provider{Name: "first", Type: typ, URL: urls[0], User: "admin"}, Password: "s3cret"}
		must[Provider](t)(c.PutProvider(t.Context(), p))
		p.Name, p.URL = "second", urls[1]
		_, err := c.PutProvider(t.Context(), p)
		refused(t, err, gateway.KindConflict, "url")
		if !strings.Contains(fmt.Sprint(err), "provider first has ") {
			t.Errorf("%v does not say whose it is", err)
		}
		p.Enabled = new(bool)
		must[Provider](t)(c.PutProvider(t.Context(), p))
	}
}

// Whoever may write a provider must not learn its password by having it sent elsewhere.
func TestAStoredPasswordIsNotSentToAnotherAddress(t *testing.T) {
	c := open(t, newMemory())
	p := Provider{Provider: gateway.Provider{Name: "far", Type: gateway.TypeDinstarWeb, URL: "https://192.0.2.20", User: "admin"}, Password: "s3cret"}
	p = must[Provider](t)(c.PutProvider(t.Context(), p))
	for _, url := range []string{"https://192.0.2.66", "http://192.0.2.20"} {
		for _, said := range []gateway.Secret{"", "***"} {
			q := p
			q.URL, q.Password = url, said
			_, err := c.PutProvider(t.Context(), q)
			refused(t, err, gateway.KindInvalid, "password")
		}
	}
	p.URL, p.Password = "https://192.0.2.20:443/", "***" // the same, written otherwise
	p = must[Provider](t)(c.PutProvider(t.Context(), p))
	p.URL, p.Password = "https://192.0.2.21", "another"
	if p = must[Provider](t)(c.PutProvider(t.Context(), p)); p.Password != "another" {
		t.Error("the password is not the new one")
	}
}

func TestAGatewayThatDialsInNeedsAPasswordThatItsLoginCanCarry(t *testing.T) {
	c := open(t, newMemory())
	p := Provider{Provider: gateway.Provider{Name: "rack2", Type: gateway.TypeDinstar, URL: "tcp://:10003", User: "admin"}}
	for _, password := range []string{"", "***", strings.Repeat("x", 17)} {
		p.Password = gateway.Secret(password)
		_, err := c.PutProvider(t.Context(), p)
		refused(t, err, gateway.KindInvalid, "password")
	}
	p.Password = "s3cret"
	p = must[Provider](t)(c.PutProvider(t.Context(), p))
	p.Password = "***"
	if p = must[Provider](t)(c.PutProvider(t.Context(), p)); p.Password != "s3cret" {
		t.Error("the password is another")
	}
}

func TestAGatewayThatPushesKeepsAGoodSecret(t *testing.T) {
	c := open(t, newMemory())
	p := Provider{Provider: gateway.Provider{Name: "rack3", Type: gateway.TypeDinstarWebPush, URL: "http://192.0.2.20", User: "admin"}}
	for _, secret := range []string{"", "***", "short"} {
		p.PushSecret = gateway.Secret(secret)
		_, err := c.PutProvider(t.Context(), p)
		refused(t, err, gateway.KindInvalid, "push_secret")
	}
	p.PushSecret = "0123456789abcdef"
	p = must[Provider](t)(c.PutProvider(t.Context(), p))
	p.PushSecret = "***"
	if p = must[Provider](t)(c.PutProvider(t.Context(), p)); p.PushSecret != "0123456789abcdef" {
		t.Error("the secret is another")
	}
	p.Type, p.PushSecret = gateway.TypeDinstarWeb, ""
	if p = must[Provider](t)(c.PutProvider(t.Context(), p)); p.PushSecret != "" {
		t.Error("a provider that no longer pushes kept the secret")
	}
	p.PushSecret = "0123456789abcdef"
	_, err := c.PutProvider(t.Context(), p)
	refused(t, err, gateway.KindInvalid, "push_secret")
}

func TestAtMostOneProviderIsTheDefault(t *testing.T) {
	m := newMemory()
	c := open(t, m)
	a, b := bank(), bank()
	a.Default, b.Default, b.Name = true, true, "other"
	must[Provider](t)(c.PutProvider(t.Context(), a))
	_, err := c.PutProvider(t.Context(), b)
	refused(t, err, gateway.KindConflict, "default")

	file := rack()
	file.Default = true
	c, err = Open(Options{Store: m, Managed: []Provider{file}})
	if err != nil {
		t.Fatal(err)
	}
	if p := must[Provider](t)(c.Provider("bank")); p.Default {
		t.Error("two providers are the default after the file named one")
	}
}

func TestSecretsAreKeptAndNotShown(t *testing.T) {
	m := newMemory()
	c := open(t, m)
	p := must[Provider](t)(c.PutProvider(t.Context(), bank()))
	p.Ports[0].PIN = "***" // as it was shown
	p.Report = true
	must[Provider](t)(c.PutProvider(t.Context(), p))

	again := must[Provider](t)(open(t, m).Provider("bank"))
	if string(again.Ports[0].PIN) != "4321" || !again.Report {
		t.Error("the PIN is lost")
	}
	if shown := jsonOf(t, again); strings.Contains(shown, "4321") {
		t.Errorf("the PIN is shown: %s", shown)
	}
}
