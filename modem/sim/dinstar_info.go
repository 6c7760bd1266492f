package sim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
)

// portWords are the words of info_type, and what each tells. The lock is held.
func (d *Dinstar) portWords(p *dinstarPort) map[string]any {
	w := map[string]any{
		"type": "GSM", "imei": p.imei, "imsi": "", "iccid": "", "number": "", "reg": p.state(), "slot": 255,
		"callstate": "Idle", "signal": gateway.SignalUnknown, "gprs": "detached",
		"remain_credit": "0", "remain_monthly_credit": "0", "remain_daily_credit": "0", "remain_daily_calltime": "0",
		"remain_hourly_calltime": "0", "remain_daily_connect": "0", "CallForward": map[string]any{},
	}
	state := p.state()
	if p.card != nil && state != DinstarNoSIM && state != DinstarPowerOff {
		w["iccid"] = p.card.ICCID()
		if state != DinstarPIN && state != DinstarPUK { // the card tells neither before it is unlocked
			w["imsi"], w["number"] = p.card.o.IMSI, p.numberTold()
		}
	}
	if state == DinstarRegistered {
		w["signal"] = p.signal
	}
	if p.forward != nil {
		w["CallForward"] = p.forward
	}
	return w
}

// portInfo tells what is asked about ports.
func (d *Dinstar) portInfo(r *dinstarRequest) any {
	q := r.URL.Query()
	free := &d.o.Firmware.Lenient
	if !q.Has("info_type") && !free.InfoWord { // T5
		return dinstarText{http.StatusNotFound, "not found"}
	}
	ports, ok := d.named(q.Get("port"), free.InfoPort)
	if !ok { // T7
		return d.head(dinstarBad)
	}
	words := strings.Split(q.Get("info_type"), ",")
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []map[string]any{}
	for _, p := range ports {
		all := d.portWords(p)
		row := map[string]any{"port": p.n}
		for _, word := range words {
			v, known := all[word]
			switch {
			case known:
				row[word] = v
			case !free.InfoWord: // T6
				return d.head(dinstarBad)
			}
		}
		rows = append(rows, row)
	}
	return struct {
		head
		Info []map[string]any `json:"info"`
	}{d.head(dinstarOK), rows}
}

// named gives the ports of a list such as "0,1" or "[0,1]"; all of them for "".
func (d *Dinstar) named(list string, passOver bool) ([]*dinstarPort, bool) {
	list = strings.TrimSuffix(strings.TrimPrefix(list, "["), "]")
	if list == "" {
		return d.ports, true
	}
	var ports []*dinstarPort
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		switch {
		case err == nil && n >= 0 && n < len(d.ports):
			ports = append(ports, d.ports[n])
		case !passOver:
			return nil, false
		}
	}
	return ports, true
}

// setPortInfo does something to one port.
func (d *Dinstar) setPortInfo(r *dinstarRequest) any {
	q := r.URL.Query()
	ports, ok := d.named(q.Get("port"), false)
	if !ok || len(ports) != 1 || q.Get("port") == "" {
		return d.head(dinstarBad)
	}
	p := ports[0]
	d.mu.Lock()
	done := d.act(p, q.Get("action"), q.Get("param"), q.Get("number"))
	d.mu.Unlock()
	if !done {
		return d.head(dinstarBad)
	}
	d.registerChanged(p)
	return d.head(dinstarOK)
}

// forwards are the params of the action CallForward.
var forwards = [...]string{"Unconditional", "NoReply", "Busy", "Not_Reachable", "CancelAll"}

// act does an action of set_port_info. The lock is held.
func (d *Dinstar) act(p *dinstarPort, action, param, number string) bool {
	switch action {
	case "reset":
		if param == "" { // the field's firmware insists on one
			return false
		}
		d.resetPort(p)
	case "power":
		if param != "on" && param != "off" {
			return false
		}
		if p.off = param == "off"; p.off {
			d.abandon(p)
			return true
		}
		d.next(p)
	case "imei":
		p.imei = param
		return param != ""
	case "number":
		p.number = param
		return param != ""
	case "lock":
		p.open = false
	case "unlock":
		if p.card == nil || !p.card.tryPIN(param) {
			return false
		}
		p.open = true
	case "block", "unblock":
		p.blocked = action == "block"
	case "CallForward":
		return p.setForward(param, number)
	case "CheckCallForward":
	default:
		return false // slot too: these ports have one
	}
	return true
}

func (p *dinstarPort) setForward(param, number string) bool {
	switch {
	case !slices.Contains(forwards[:], param):
		return false
	case param == "CancelAll":
		p.forward = nil
	default:
		if p.forward == nil {
			p.forward = map[string]any{}
		}
		p.forward[param] = number
	}
	return true
}

// resetPort restarts a port: what was in flight fails, what waits goes on when it is back.
func (d *Dinstar) resetPort(p *dinstarPort) {
	d.abandon(p)
	if d.o.Boot <= 0 {
		d.next(p)
		return
	}
	p.booting = true
	epoch := p.epoch
	d.net.air.after(d.o.Boot, func() {
		d.mu.Lock()
		if d.closed || p.epoch != epoch {
			d.mu.Unlock()
			return
		}
		p.booting = false
		d.next(p)
		d.mu.Unlock()
		d.registerChanged(p)
	})
}

// abandon fails what a port has in flight; what waits stays.
func (d *Dinstar) abandon(p *dinstarPort) {
	p.epoch++
	p.asked, p.ussd, p.open = false, nil, false
	if m := p.current; m != nil {
		m.status, m.at = dinstarFailed, d.now()
		d.queued--
		p.current = nil
	}
}

// DinstarCall is a row of get_cdr.
type DinstarCall struct {
	Port        int    `json:"port"`
	Start       string `json:"start_date"`
	Answer      string `json:"answer_date"`
	Duration    int    `json:"duration"` // seconds
	Source      string `json:"source_number"`
	Destination string `json:"destination_number"`
	Direction   string `json:"direction"` // ip->gsm, gsm->ip or callback
	IP          string `json:"ip"`
	Codec       string `json:"codec"`
	Hangup      string `json:"hangup"` // called, calling or gateway
	GSMCode     int    `json:"gsm_code"`
	BCCH        string `json:"bcch"`
}

// Call puts a call on record. Start is by the device's clock, as "2006-01-02 15:04:05".
func (d *Dinstar) Call(c DinstarCall) {
	d.mu.Lock()
	d.cdr = append(d.cdr, c)
	d.mu.Unlock()
	d.tell(map[string]any{"cdr": []DinstarCall{c}})
}

// getCDR tells the calls.
func (d *Dinstar) getCDR(r *dinstarRequest) any {
	f, ok := d.filter(r)
	if !ok {
		return d.head(dinstarBad)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []DinstarCall{}
	for _, c := range d.cdr {
		at, err := time.ParseInLocation(dinstarTime, c.Start, d.now().Location())
		if err == nil && f.matches(c.Port, "", at) {
			rows = append(rows, c)
		}
	}
	return struct {
		head
		CDR []DinstarCall `json:"cdr"`
	}{d.head(dinstarOK), rows}
}
