package gateway

import (
	"fmt"
	"io"
	"log/slog"
)

// Provider is who carries messages: a bank of modems, a gateway, a cloud.
type Provider struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`              // a product type name: GSM, DinstarWeb, Twilio, ...
	URL     string  `json:"url,omitempty"`     // of a gateway or a cloud; where we listen for a gateway that dials in, see ListenAddress
	User    string  `json:"user,omitempty"`    //
	Sender  string  `json:"sender,omitempty"`  // SMS From
	Pattern string  `json:"pattern,omitempty"` // regular expression a number must match whole; "" or "." = any
	Default bool    `json:"default,omitempty"` // at most one provider is
	Rate    float64 `json:"rate,omitempty"`    // messages per second over the whole provider; 0 = no limit
	Report  bool    `json:"report,omitempty"`  // ask the network for delivery reports
	Limits  Limits  `json:"limits,omitzero"`   // for each SIM in it
	Ports   []Port  `json:"ports,omitempty"`   // of serial modems
	Managed bool    `json:"managed,omitempty"` // written in the configuration file: read-only over the API
	Enabled *bool   `json:"enabled,omitempty"` // nil = yes
	Choice  string  `json:"choice,omitempty"`  // which channel takes a message: ChoiceRing, ...; "" = ring

	// Of a gateway with ports of its own.
	Auth        string   `json:"auth,omitempty"`         // AuthDigest or AuthBasic; "" = what the gateway names
	UsePorts    string   `json:"use_ports,omitempty"`    // those to use, as a dial string; "" = all that it has
	DeviceZone  string   `json:"device_zone,omitempty"`  // IANA name of the zone of its clock; "" = the site's
	Certificate string   `json:"certificate,omitempty"`  // SHA-256 of its certificate in hex, for one that it signed itself
	PortControl bool     `json:"port_control,omitempty"` // its ports may be switched, locked and given another SIM slot over the API
	PushFrom    []string `json:"push_from,omitempty"`    // networks that may push; none = the host of URL
}

// How a message's channel is chosen among those that can take it.
const (
	ChoiceRing         = "ring"          // the next of the ring, in order
	ChoiceLeastUsed    = "least-used"    // whose SIM has the most quota left
	ChoiceSameOperator = "same-operator" // whose SIM is of the operator that owns the number's prefix, where there is one
)

// How a gateway on the network is logged in to.
const (
	AuthDigest = "digest" // RFC 7616
	AuthBasic  = "basic"  // RFC 7617
)

// Disabled says that somebody turned the provider off.
func (p *Provider) Disabled() bool { return p.Enabled != nil && !*p.Enabled }

// The product types that this version has a driver for.
const (
	TypeGSM            = "GSM"            // serial modems on the box
	TypeDinstarWeb     = "DinstarWeb"     // a Dinstar gateway, over its HTTP API
	TypeDinstarWebPush = "DinstarWebPush" // the same, which also tells us by itself when something happens
	TypeDinstar        = "Dinstar"        // a Dinstar gateway that dials the box: its binary TCP API
)

// Port is a physical slot of a provider: where its modem is.
type Port struct {
	Port   int    `json:"port"`             // 0-31
	Device string `json:"device,omitempty"` // path of the serial device
	IMEI   string `json:"imei,omitempty"`   // or the modem with this IMEI, wherever it is plugged in
	Baud   int    `json:"baud,omitempty"`   // 0 = 115200
	PIN    Secret `json:"pin,omitempty"`    // of the SIM; tried once a SIM
	SMSC   string `json:"smsc,omitempty"`   // "" = the one stored in the SIM
}

// Limits bound what one SIM sends, counted in segments; 0 = no limit.
type Limits struct {
	PerMinute          uint32 `json:"per_minute,omitempty"`
	PerHour            uint32 `json:"per_hour,omitempty"`
	PerDay             uint32 `json:"per_day,omitempty"`
	PerMonth           uint32 `json:"per_month,omitempty"`
	RecipientsPerMonth uint32 `json:"recipients_per_month,omitempty"` // different numbers
}

// Secret is a word that is written and never shown: every way of printing it
// gives stars. Keep it in exported fields, where fmt asks it, and never as the key
// of a map, which encoding/json writes as it is.
type Secret string

// String gives stars, or "" for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// Format gives stars for every verb: String alone would leave %d to the verb's
// complaint, which shows the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue gives stars.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives stars: a secret never leaves in JSON, TOML or a log.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
