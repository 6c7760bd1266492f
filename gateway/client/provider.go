package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fieldpost/gateway"
)

// Provider is who carries messages. Password and PIN are written and never read.
type Provider struct {
	Name     string  `json:"name" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" example:"modems"`
	Type     string  `json:"type" minLength:"1" maxLength:"32" example:"GSM" doc:"One of GET /provider-types"`
	Enabled  *bool   `json:"enabled,omitempty" example:"true" doc:"Absent = true"`
	Default  bool    `json:"default" required:"false" doc:"At most one provider is"`
	URL      string  `json:"url,omitempty" maxLength:"2048" example:"http://192.0.2.10" doc:"Of the gateway; for one that dials in (type Dinstar) where the box listens, such as tcp://192.0.2.2:10003"`
	User     string  `json:"user,omitempty" maxLength:"255" example:"api"`
	Password string  `json:"password,omitempty" maxLength:"1024" writeOnly:"true" doc:"Never returned; absent in a PUT = as it is"`
	Sender   string  `json:"sender,omitempty" maxLength:"16" example:"ACME" doc:"SMS From"`
	Pattern  string  `json:"pattern,omitempty" maxLength:"1024" example:"^\\+47" doc:"Regular expression of the numbers it takes; absent or . = any"`
	Rate     float64 `json:"rate,omitempty" minimum:"0" example:"2.5" doc:"Messages per second over the whole provider; absent = no limit"`
	Report   bool    `json:"report" required:"false" example:"true" doc:"Ask the network for delivery reports"`
	Limits   *Limits `json:"limits,omitempty" doc:"For each SIM in it"`
	Ports    []Port  `json:"ports,omitempty" maxItems:"32" nullable:"false" doc:"Of serial modems"`
	Choice   string  `json:"choice,omitempty" enum:"ring,least-used,same-operator" example:"ring" doc:"Which channel takes a message; absent = the next of the ring"`

	Auth        string   `json:"auth,omitempty" enum:"digest,basic" doc:"Of a gateway; absent = what it names"`
	UsePorts    string   `json:"use_ports,omitempty" maxLength:"128" example:"0-7" doc:"Of a gateway: the ports to use; absent = all that it has"`
	DeviceZone  string   `json:"device_zone,omitempty" maxLength:"64" example:"America/Montevideo" doc:"Zone of a gateway's clock; absent = the site's"`
	Certificate string   `json:"certificate,omitempty" maxLength:"95" doc:"SHA-256, in hex, of the certificate that a gateway signed itself"`
	PortControl bool     `json:"port_control,omitempty" doc:"A gateway's ports may be switched, locked and given another SIM slot"`
	PushSecret  string   `json:"push_secret,omitempty" maxLength:"128" writeOnly:"true" doc:"End of the path that a gateway pushes to; never returned; absent in a PUT = as it is"`
	PushFrom    []string `json:"push_from,omitempty" maxItems:"16" nullable:"false" example:"[\"192.0.2.20\"]" doc:"Networks that may push; none = the host of url"`

	Revision uint64 `json:"revision,omitempty" example:"1" doc:"In a PUT: the revision that it replaces; absent = whichever is there"`
	Managed  bool   `json:"managed" readOnly:"true" doc:"Written in the configuration file: read-only over the API"`
}

// Port is a physical slot of a provider.
type Port struct {
	Port   int    `json:"port" minimum:"0" maximum:"31" example:"0"`
	Device string `json:"device,omitempty" maxLength:"255" example:"/dev/serial/by-id/usb-modem-if02"`
	IMEI   string `json:"imei,omitempty" maxLength:"16" example:"490154203237518" doc:"Or the modem with this IMEI, wherever it is plugged in"`
	Baud   int    `json:"baud,omitempty" minimum:"0" maximum:"4000000" example:"115200" doc:"Absent = 115200"`
	PIN    string `json:"pin,omitempty" maxLength:"8" writeOnly:"true" doc:"Of the SIM; tried once a SIM; never returned"`
	SMSC   string `json:"smsc,omitempty" maxLength:"20" example:"+4790002100" doc:"Absent = the one stored in the SIM"`
}

// Limits bound what one SIM sends, in segments; 0 = no limit.
type Limits struct {
	PerMinute          uint32 `json:"per_minute,omitempty" example:"10"`
	PerHour            uint32 `json:"per_hour,omitempty"`
	PerDay             uint32 `json:"per_day,omitempty" example:"1000"`
	PerMonth           uint32 `json:"per_month,omitempty"`
	RecipientsPerMonth uint32 `json:"recipients_per_month,omitempty" doc:"Different numbers"`
}

// ProviderType is a product type, and which fields of Provider a form shows for it.
type ProviderType struct {
	Name       string   `json:"name" example:"GSM"`
	Driver     string   `json:"driver" example:"serial" doc:"Named for its wire"`
	DialString bool     `json:"dial_string" example:"true" doc:"Its dialers need a range of ports"`
	Channels   []string `json:"channels" nullable:"false" example:"[\"sms\"]"`
	Fields     []string `json:"fields" nullable:"false" example:"[\"ports\",\"pattern\"]" doc:"Fields of a provider that it uses, besides name and type"`
	Usable     bool     `json:"usable" example:"true" doc:"This version has the driver"`
}

// Channel is one sending lane: a port with a SIM in it, or a cloud sender.
type Channel struct {
	ID           string     `json:"id" example:"modems/3"`
	Provider     string     `json:"provider" example:"modems"`
	Port         int        `json:"port" example:"3"`
	State        string     `json:"state" enum:"absent,starting,ready,resting,fault" example:"ready"`
	Reason       string     `json:"reason,omitempty" doc:"Why it is not ready"`
	Held         string     `json:"held,omitempty" doc:"Why the SIM in it sends nothing, whatever the state"`
	Since        *time.Time `json:"since,omitempty" example:"2030-01-02T08:00:00Z"`
	Until        *time.Time `json:"until,omitempty" doc:"End of a rest"`
	Device       string     `json:"device,omitempty" example:"/dev/ttyUSB2"`
	Model        string     `json:"model,omitempty" example:"Quectel EC25"`
	IMEI         string     `json:"imei,omitempty" example:"490154203237518"`
	ICCID        string     `json:"iccid,omitempty" example:"8947010000000000003"`
	IMSI         string     `json:"imsi,omitempty" example:"242010000000003"`
	Number       string     `json:"number,omitempty" example:"+4790000003"`
	SMSC         string     `json:"smsc,omitempty" example:"+4790002100"`
	Operator     string     `json:"operator,omitempty" example:"Telenor"`
	Registration string     `json:"registration,omitempty" example:"home"`
	Signal       *int       `json:"signal,omitempty" example:"21" doc:"0-31 as AT+CSQ"`
	DBm          *int       `json:"dbm,omitempty" example:"-71"`
	Stored       *int       `json:"stored,omitempty" example:"2" doc:"Messages in the memory of SIM or modem"`
	Storage      int        `json:"storage,omitempty" example:"20" doc:"Messages that it has room for; absent = not known"`
	ClockAt      *time.Time `json:"clock_at,omitempty" doc:"When the network's time was last asked; absent = it is not known"`
	AheadSeconds *float64   `json:"ahead_seconds,omitempty" example:"-0.4" doc:"How far the network's time was ahead of this box's then"`
}

// USSDRequest is a code to dial on a channel.
type USSDRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"160" pattern:"^[0-9*#+]+(,[0-9*#+]+)*$" example:"*100#" doc:"A request and, each behind a comma, the answers to the menus that the network opens"`
}

// USSDAnswer is what the network said.
type USSDAnswer struct {
	Text string `json:"text" example:"Balance: 10.00"`
}

// Providers lists the providers by name.
func (c *Client) Providers(ctx context.Context, l List) (Page[Provider], error) {
	return get[Page[Provider]](ctx, c, "/providers", l.values())
}

// Provider gives one provider, without its secrets.
func (c *Client) Provider(ctx context.Context, name string) (Provider, error) {
	return get[Provider](ctx, c, providerPath(name), nil)
}

// CreateProvider makes a provider; KindConflict when the name is taken.
func (c *Client) CreateProvider(ctx context.Context, in Provider) (Provider, error) {
	return post[Provider](ctx, c, "/providers", in)
}

// UpdateProvider replaces a provider; secrets left empty stay as they are.
func (c *Client) UpdateProvider(ctx context.Context, in Provider) (Provider, error) {
	return put[Provider](ctx, c, providerPath(in.Name), in)
}

// DeleteProvider deletes a provider; KindConflict while a campaign names it.
func (c *Client) DeleteProvider(ctx context.Context, name string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: providerPath(name)})
}

// ProviderTypes lists the product types.
func (c *Client) ProviderTypes(ctx context.Context) (Page[ProviderType], error) {
	return get[Page[ProviderType]](ctx, c, "/provider-types", nil)
}

// Channels lists the channels of all providers.
func (c *Client) Channels(ctx context.Context) (Page[Channel], error) {
	return get[Page[Channel]](ctx, c, "/channels", nil)
}

// Channel gives one channel by its id, "provider/port".
func (c *Client) Channel(ctx context.Context, id string) (Channel, error) {
	path, err := channelPath(id)
	if err != nil {
		return Channel{}, err
	}
	return get[Channel](ctx, c, path, nil)
}

// ResetChannel restarts a channel's device; KindConflict while a send is in doubt.
func (c *Client) ResetChannel(ctx context.Context, id string) error {
	path, err := channelPath(id)
	if err != nil {
		return err
	}
	return c.do(ctx, call{method: http.MethodPost, path: path + "/reset", long: true})
}

// USSD dials a code on a channel and gives the network's answer, within two
// minutes.
func (c *Client) USSD(ctx context.Context, id, code string) (USSDAnswer, error) {
	path, err := channelPath(id)
	if err != nil {
		return USSDAnswer{}, err
	}
	var out USSDAnswer
	err = c.do(ctx, call{method: http.MethodPost, path: path + "/ussd", in: USSDRequest{Code: code}, out: &out, long: true})
	return out, err
}

func providerPath(name string) string { return "/providers/" + url.PathEscape(name) }

// channelPath keeps the slash of the id: it is two segments of the path.
func channelPath(id string) (string, error) {
	provider, port, ok := gateway.SplitChannelID(id)
	if !ok {
		return "", gateway.Invalid("channel", "%q is no channel: write provider/port, such as modems/3", id)
	}
	return "/channels/" + url.PathEscape(provider) + "/" + strconv.Itoa(port), nil
}
