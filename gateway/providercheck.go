package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MaxProviderRate is the highest rate of a provider, in messages per second.
const MaxProviderRate = 1000

// bauds are the line speeds that a modem may be set to (TS 27.007 §6.4, V.250 +IPR).
var bauds = [...]int{0, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// maxDevice is the longest path of a device, in bytes.
const maxDevice = 255

// Check lists everything that is wrong with a provider, each fault with its
// field: "type", "port[1].baud". It does not look at the machine: a device that is
// not there is no fault.
func (p *Provider) Check() []*Error {
	c := checks{}
	c.add(CheckName("name", p.Name))
	t, known := LookupProviderType(p.Type)
	switch {
	case p.Type == "":
		c.invalid("type", "is missing: one of %s", strings.Join(typeNames(), ", "))
	case !known:
		c.invalid("type", "%q is no type of provider: one of %s", p.Type, strings.Join(typeNames(), ", "))
	case !t.Usable:
		c.invalid("type", "this version has no driver for %s providers yet: use %s", p.Type, alternatives(usableNames()))
	default:
		p.checkFields(&c, t)
		p.checkURL(&c, t)
		p.checkPorts(&c, t)
		p.checkOptions(&c)
		p.checkPush(&c)
	}
	_, err := CompilePattern("pattern", p.Pattern)
	c.add(err)
	if math.IsNaN(p.Rate) || p.Rate < 0 || p.Rate > MaxProviderRate {
		c.invalid("rate", "must be 0 (no limit) to %d messages a second", MaxProviderRate)
	}
	return c.errs
}

// checkFields refuses a field that the type does not use: it would be ignored in silence.
func (p *Provider) checkFields(c *checks, t ProviderType) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"url", p.URL != ""}, {"user", p.User != ""}, {"sender", p.Sender != ""},
		{"ports", len(p.Ports) > 0}, {"limits", p.Limits != Limits{}}, {"report", p.Report},
		{"choice", p.Choice != ""}, {"auth", p.Auth != ""}, {"use_ports", p.UsePorts != ""}, {"device_zone", p.DeviceZone != ""},
		{"certificate", p.Certificate != ""}, {"port_control", p.PortControl}, {"push_from", len(p.PushFrom) > 0},
	} {
		if f.set && !slices.Contains(t.Fields, f.name) {
			c.invalid(f.name, "a %s provider has no %s", t.Name, f.name)
		}
	}
}

// checkURL holds that a device on the network has an address, which names no
// password: an address is shown.
func (p *Provider) checkURL(c *checks, t ProviderType) {
	if !slices.Contains(t.Fields, "url") {
		return
	}
	if p.Type == TypeDinstar {
		p.checkListen(c)
		return
	}
	u, err := url.Parse(p.URL)
	switch {
	case p.URL == "":
		c.invalid("url", "is missing: the address of the gateway, such as http://192.0.2.20")
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || len(p.URL) > maxDevice:
		c.invalid("url", "must be the address of the gateway, such as http://192.0.2.20")
	case u.User != nil:
		c.invalid("url", "must hold no password: it has a field of its own")
	case u.RawQuery != "" || u.Fragment != "":
		c.invalid("url", "must end with the address or a path")
	}
}

// checkListen holds that a gateway that dials in finds us, and has a name to log in with.
func (p *Provider) checkListen(c *checks) {
	address, err := ListenAddress(p.URL)
	c.add(err)
	if strings.HasSuffix(address, ":0") {
		c.invalid("url", "needs a port of its own, such as 10003: the gateway must be told where to dial")
	}
	if e := checkListenLogin("user", p.User); e != nil {
		c.errs = append(c.errs, e)
	}
}

// checkOptions holds that the words of a closed set, and what names a port, a zone or a
// network, can be read.
func (p *Provider) checkOptions(c *checks) {
	if !slices.Contains([]string{"", ChoiceRing, ChoiceLeastUsed, ChoiceSameOperator}, p.Choice) {
		c.invalid("choice", "must be %s, %s or %s", ChoiceRing, ChoiceLeastUsed, ChoiceSameOperator)
	}
	if !slices.Contains([]string{"", AuthDigest, AuthBasic}, p.Auth) {
		c.invalid("auth", "must be %s or %s; absent = what the gateway names", AuthDigest, AuthBasic)
	}
	if p.UsePorts != "" {
		if _, err := ParseDialString(p.UsePorts); err != nil {
			c.invalid("use_ports", "must be ports such as 0-7 or 0,1,3")
		}
	}
	if p.DeviceZone != "" {
		if _, err := time.LoadLocation(p.DeviceZone); err != nil {
			c.invalid("device_zone", "%q is no time zone: write it as America/Montevideo", p.DeviceZone)
		}
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(p.Certificate, ":", "")); p.Certificate != "" && (err != nil || len(b) != sha256.Size) {
		c.invalid("certificate", "must be the SHA-256 of the gateway's certificate: 64 hexadecimal digits")
	}
	if p.Certificate != "" && !strings.HasPrefix(p.URL, "https://") {
		c.invalid("certificate", "belongs to an https:// address: over http nobody shows one")
	}
	for i, s := range p.PushFrom {
		if _, err := ParseNetwork(s); err != nil {
			c.invalid(fmt.Sprintf("push_from[%d]", i), "%q is no network: write it as 192.0.2.20 or 192.0.2.0/24", s)
		}
	}
}

// ParseNetwork reads a network; a single address is a network of one.
func ParseNetwork(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap() // as the peers of sockets are compared
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

func (p *Provider) checkPorts(c *checks, t ProviderType) {
	if !slices.Contains(t.Fields, "ports") {
		return
	}
	if len(p.Ports) == 0 {
		c.invalid("port", "a %s provider needs at least one port with a device or an imei", t.Name)
	}
	ports, devices, imeis := map[int]bool{}, map[string]bool{}, map[string]bool{}
	for i := range p.Ports {
		q, at := &p.Ports[i], func(key string) string { return fmt.Sprintf("port[%d].%s", i, key) }
		q.check(c, at)
		if ports[q.Port] {
			c.invalid(at("port"), "port %d is there twice", q.Port)
		}
		if q.Device != "" && devices[q.Device] {
			c.invalid(at("device"), "%s is another port's device already", q.Device)
		}
		if q.IMEI != "" && imeis[q.IMEI] {
			c.invalid(at("imei"), "%s is another port's modem already", q.IMEI)
		}
		ports[q.Port], devices[q.Device], imeis[q.IMEI] = true, true, true
	}
}

func (q *Port) check(c *checks, at func(string) string) {
	if q.Port < 0 || q.Port > MaxPort {
		c.invalid(at("port"), "must be 0 to %d", MaxPort)
	}
	switch {
	case q.Device == "" && q.IMEI == "":
		c.invalid(at("device"), "is missing: the path of the modem, or its imei")
	case q.Device != "" && q.IMEI != "":
		c.invalid(at("imei"), "give the device or the imei, not both")
	case q.Device != "" && (q.Device[0] != '/' || len(q.Device) > maxDevice):
		c.invalid(at("device"), "must be a whole path, such as /dev/serial/by-id/usb-...")
	case q.IMEI != "" && (len(q.IMEI) != 15 || !digits(q.IMEI)): // TS 23.003 §6.2.1
		c.invalid(at("imei"), "must have 15 digits")
	}
	if !slices.Contains(bauds[:], q.Baud) {
		c.invalid(at("baud"), "must be a speed of serial lines, such as 115200")
	}
	if pin := string(q.PIN); pin != "" && (len(pin) < 4 || len(pin) > 8 || !digits(pin)) { // TS 51.011 §9.3
		c.invalid(at("pin"), "must have 4 to 8 digits")
	}
	if q.SMSC != "" && !Address(q.SMSC).E164() {
		c.invalid(at("smsc"), "must be an international number, such as +59899000000")
	}
}

func typeNames() []string {
	var names []string
	for _, t := range ProviderTypes() {
		names = append(names, t.Name)
	}
	return names
}

// usableNames names the types that this version has a driver for.
func usableNames() []string {
	var names []string
	for _, t := range ProviderTypes() {
		if t.Usable {
			names = append(names, t.Name)
		}
	}
	return names
}

// alternatives joins words as a sentence does: a, b or c.
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// checks gathers faults.
type checks struct{ errs []*Error }

func (c *checks) invalid(field, format string, args ...any) {
	c.errs = append(c.errs, Invalid(field, format, args...))
}

func (c *checks) add(err error) {
	var e *Error
	if errors.As(err, &e) {
		c.errs = append(c.errs, e)
	}
}
