package sim

import "strings"

// The status of a port in the answer of send_ussd.
const (
	ussdSent         = 200
	ussdBusy         = 486
	ussdUnregistered = 503
)

// ussdMost is the most that a USSD text takes, in bytes.
const ussdMost = 60

// ussdRow is what send_ussd came to at a port.
type ussdRow struct {
	Port   int `json:"port"`
	Status int `json:"status"`
}

// ussdReply is a port's answer; a text of "" is none yet.
type ussdReply struct {
	Port int    `json:"port"`
	Text string `json:"text"`
}

// sendUSSD asks the network on each port, or ends the dialogue.
func (d *Dinstar) sendUSSD(r *dinstarRequest) any {
	var q struct {
		Text    string `json:"text"`
		Port    []int  `json:"port"`
		Command string `json:"command"`
	}
	if !r.decode(&q) || len(q.Port) == 0 || len(q.Text) > ussdMost {
		return d.head(dinstarBad)
	}
	cancel := strings.EqualFold(q.Command, "cancel")
	if !cancel && (q.Text == "" || q.Command != "" && !strings.EqualFold(q.Command, "send")) {
		return d.head(dinstarBad)
	}
	for _, n := range q.Port {
		if n < 0 || n >= len(d.ports) {
			return d.head(dinstarBad)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var rows []ussdRow
	for _, n := range q.Port {
		p := d.ports[n]
		if cancel {
			p.ussd, p.asked, p.reply = nil, false, ""
			p.dialogue++
			rows = append(rows, ussdRow{n, ussdSent})
			continue
		}
		rows = append(rows, ussdRow{n, d.dial(p, q.Text)})
	}
	key := "result"
	if d.o.Firmware.OldKeys { // T10
		key = "result:"
	}
	answer := map[string]any{"error_code": dinstarAccepted, key: rows}
	if !d.o.Firmware.OldKeys {
		answer["sn"] = d.o.Serial
	}
	return answer
}

// dial asks the network and has the answer after the radio's time. The lock is held.
func (d *Dinstar) dial(p *dinstarPort, code string) int {
	switch {
	case !p.usable():
		return ussdUnregistered
	case p.asked:
		return ussdBusy
	}
	menu := p.ussd
	if menu == nil {
		menu = d.net.o.USSD
	}
	next, known := menu[code]
	text := next.Text
	if !known {
		text = "Unknown application"
	}
	p.ussd, p.asked, p.reply = next.Next, true, ""
	p.dialogue++
	epoch, dialogue := p.epoch, p.dialogue
	d.net.air.after(d.o.Latency, func() { d.ussdAnswered(p, text, epoch, dialogue) })
	return ussdSent
}

func (d *Dinstar) ussdAnswered(p *dinstarPort, text string, epoch, dialogue int) {
	d.mu.Lock()
	if d.closed || p.epoch != epoch || p.dialogue != dialogue {
		d.mu.Unlock()
		return
	}
	p.asked, p.reply = false, text
	d.mu.Unlock()
	d.tell(map[string]any{"ussd": []ussdReply{{p.n, text}}})
}

// queryUSSD tells the last answer of each port, or one blank where there is none yet.
func (d *Dinstar) queryUSSD(r *dinstarRequest) any {
	ports, ok := d.named(r.URL.Query().Get("port"), false)
	if !ok {
		return d.head(dinstarBad)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []ussdReply{}
	for _, p := range ports {
		rows = append(rows, ussdReply{p.n, or(p.reply, " ")})
	}
	return struct {
		head
		Reply []ussdReply `json:"reply"`
	}{d.head(dinstarOK), rows}
}
