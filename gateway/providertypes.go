package gateway

import "slices"

// ProviderType is a product type of provider: what an installer chooses, and the
// driver that serves it. Which fields a screen shows for it is Fields.
type ProviderType struct {
	Name       string   `json:"name"`        // GSM, DinstarWeb, Twilio, ...
	Driver     string   `json:"driver"`      // named for its wire
	DialString bool     `json:"dial_string"` // its dialers need a range of ports
	Channels   []string `json:"channels"`    // "sms", "whatsapp"
	Fields     []string `json:"fields"`      // keys of Provider that it uses, besides name and type
	Usable     bool     `json:"usable"`      // this version has the driver
}

// ProviderTypes lists every product type, those with a driver first. A type
// without one is known by name, so that a file or a caller that asks for it hears
// why it cannot be had.
func ProviderTypes() []ProviderType {
	var (
		sms  = []string{"sms"}
		each = []string{"pattern", "default", "rate", "enabled"}
		sims = append([]string{"limits", "choice"}, each...)
		rack = append([]string{"url", "user", "password", "report", "auth", "use_ports", "device_zone", "certificate", "port_control"}, sims...)
		push = append([]string{"push_secret", "push_from"}, rack...)
		dial = append([]string{"url", "user", "password"}, sims...)
		http = append([]string{"url", "user", "password", "sender"}, each...)
	)
	types := []ProviderType{
		{Name: TypeGSM, Driver: "serial", DialString: true, Channels: sms, Usable: true,
			Fields: append([]string{"ports", "report"}, sims...)},
		{Name: TypeDinstarWeb, Driver: "dinstar", DialString: true, Channels: sms, Fields: rack, Usable: true},
		{Name: TypeDinstarWebPush, Driver: "dinstar", DialString: true, Channels: sms, Fields: push, Usable: true},
		{Name: TypeDinstar, Driver: "dwg", DialString: true, Channels: sms, Fields: dial, Usable: true},
	}
	for _, name := range []string{"Quality", "GMG", "Nexmo", "InfoBip", "SMSMasivo",
		"URLSMS", "URLSMSAuth", "URLPOSTSMS", "URLPOSTSMSAuth"} {
		types = append(types, ProviderType{Name: name, Driver: "httpsms", Channels: sms, Fields: http})
	}
	return append(types,
		ProviderType{Name: "Twilio", Driver: "twilio", Channels: []string{"sms", "whatsapp"}, Fields: http},
		ProviderType{Name: "WhatsAppCloud", Driver: "whatsapp", Channels: []string{"whatsapp"}, Fields: http})
}

// LookupProviderType finds a product type by its exact name.
func LookupProviderType(name string) (ProviderType, bool) {
	types := ProviderTypes()
	i := slices.IndexFunc(types, func(t ProviderType) bool { return t.Name == name })
	if i < 0 {
		return ProviderType{}, false
	}
	return types[i], true
}

// NeedsDialString says that the provider is port-driven: its dialers name the
// ports they send on.
func (p *Provider) NeedsDialString() bool {
	t, ok := LookupProviderType(p.Type)
	return ok && t.DialString
}
