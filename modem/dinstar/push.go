package dinstar

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"fieldpost/gateway"
)

// pushKind is a set of what a push has the driver do.
type pushKind uint32

// What a push has the driver do.
const (
	pushPorts     pushKind = 1 << iota // look at the ports
	pushInbox                          // look at the inbox
	pushReports                        // ask for delivery reports
	pushOutcomes                       // ask for the outcomes that are awaited
	pushUSSD                           // ask for the answers to USSD requests
	pushBoot                           // look at everything: its ids may have begun again
	pushException                      // tell of a fault of the gateway's own
)

// pushKeys are the events that a gateway pushes, and what each has us do.
func pushKeys() map[string]pushKind {
	return map[string]pushKind{
		"sms":                pushInbox,
		"sms_result":         pushOutcomes,
		"sms_deliver_status": pushReports,
		"ussd":               pushUSSD,
		"register":           pushPorts,
		"device":             pushPorts,
		"cdr":                pushPorts,
		"exception_info":     pushPorts | pushException,
	}
}

// push is what a gateway posts to us: its serial number and one event, or several.
type push struct {
	serial string
	what   []string // keys that we know, in order
	kind   pushKind
	ports  []int // of ussd
	fault  fault // of exception_info
}

// fault is what a gateway says of its own doing.
type fault struct {
	Port   num  `json:"port"`
	Type   text `json:"type"`
	Action text `json:"action"`
}

// parsePush reads a push as loosely as an answer: a key that is not known says nothing, and
// neither does a value of another type. Only what is no JSON object is refused.
func parsePush(body []byte) (push, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil || keys == nil {
		return push{}, &gateway.Error{Kind: gateway.KindInvalid, Text: "a push must be a JSON object", Err: err}
	}
	var (
		p  push
		sn text
	)
	if raw, ok := keys["sn"]; ok {
		_ = sn.UnmarshalJSON(raw) // never fails
		p.serial = sn.word()
	}
	for key, kind := range pushKeys() {
		raw, ok := keys[key]
		if !ok {
			continue
		}
		p.what, p.kind = append(p.what, key), p.kind|kind
		p.detail(key, raw)
	}
	slices.Sort(p.what)
	return p, nil
}

// detail reads what matters of an event besides that it happened.
func (p *push) detail(key string, raw json.RawMessage) {
	switch key {
	case "ussd":
		var rows list[reply]
		_ = rows.UnmarshalJSON(raw) // never fails
		for _, r := range rows {
			if r.Port.ok && r.Port.n >= 0 && r.Port.n <= gateway.MaxPort {
				p.ports = append(p.ports, int(r.Port.n))
			}
		}
	case "exception_info":
		var rows list[fault]
		_ = rows.UnmarshalJSON(raw) // never fails
		if len(rows) > 0 {
			p.fault = rows[0]
		}
	case "device":
		var rows list[result]
		_ = rows.UnmarshalJSON(raw) // never fails
		if len(rows) > 0 && strings.EqualFold(rows[0].Status.word(), "power_on") {
			p.kind |= pushBoot
		}
	}
}

// Hear takes a push: what the gateway posted to a listener of the host's, who bounds it. Nothing in it is stored or believed; it only has the driver ask the gateway at
// once for what it would have asked for later. So one that comes twice, late, never or from
// somebody else changes nothing but when. It returns at once, with the events that it knew.
//
// KindInvalid: it is no JSON object. KindForbidden: it names another gateway than
// the one that answers.
func (d *Driver) Hear(body []byte) (events []string, err error) {
	p, err := parsePush(body)
	if err != nil {
		return nil, err
	}
	s := d.site.Load()
	if s == nil { // the next run begins with a look at everything
		return p.what, nil
	}
	if err := s.sameGateway(p.serial); err != nil {
		return nil, err
	}
	s.hear(p)
	return p.what, nil
}

// sameGateway refuses the push of another gateway. Those of 2017 name themselves nowhere (T11).
func (s *site) sameGateway(serial string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if serial == "" || s.serial == "" || serial == s.serial {
		return nil
	}
	return &gateway.Error{Kind: gateway.KindForbidden, Field: "sn",
		Text: "the push is of gateway " + clipped(serial) + ", and the one that answers is " + clipped(s.serial)}
}

// hear leaves what a push asks for to whom it concerns. It does not wait.
func (s *site) hear(p push) {
	s.mu.Lock()
	for _, n := range p.ports {
		if q := s.ports[n]; q != nil {
			poke(q.ussd)
		}
	}
	if p.kind&pushException != 0 {
		s.fault = p.fault
	}
	s.mu.Unlock()
	s.rung.Or(uint32(p.kind))
	s.nudge()
}

// poke puts a token into a channel of one, unless there is one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tellFault writes down what the gateway said of its own doing, once a while.
func (s *site) tellFault() {
	s.mu.Lock()
	f := s.fault
	s.mu.Unlock()
	s.log.Warn("the gateway tells of a fault of its own", slog.Int64("port", f.Port.n),
		slog.String("fault", clipped(f.Type.word())), slog.String("action", clipped(f.Action.word())))
}

// clipped bounds a word of the gateway's for a log or an error.
func clipped(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
