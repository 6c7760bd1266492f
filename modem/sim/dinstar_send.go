package sim

import (
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"

	"fieldpost/gateway/gsm7"
)

// The limits of send_sms, in bytes.
const (
	dinstarText1500 = 1500
	dinstarNumber24 = 24
)

// sendSMS takes messages for the air.
func (d *Dinstar) sendSMS(r *dinstarRequest) any {
	var q struct {
		Text     string `json:"text"`
		Port     []int  `json:"port"`
		Encoding string `json:"encoding"`
		Report   *bool  `json:"request_status_report"`
		Param    []struct {
			Number string   `json:"number"`
			Params []string `json:"text_param"`
			UserID int      `json:"user_id"`
		} `json:"param"`
	}
	if !r.decode(&q) || q.Text == "" || len(q.Param) == 0 {
		return d.head(dinstarBad)
	}
	if len(q.Param) > d.o.Firmware.Recipients || len(q.Text) > dinstarText1500 {
		return d.head(dinstarTooMuch)
	}
	var all []*dinstarMessage
	for _, p := range q.Param {
		text := filled(q.Text, p.Params)
		if p.Number == "" || len(p.Number) > dinstarNumber24 || strings.Trim(strings.TrimPrefix(p.Number, "+"), "0123456789*#") != "" {
			return d.head(dinstarBad)
		}
		segments := cut(text, q.Encoding == "gsm-7bit")
		if len(text) > dinstarText1500 || len(segments) > gsm7.MaxSegments {
			return d.head(dinstarTooMuch)
		}
		all = append(all, &dinstarMessage{
			userID: p.UserID, number: p.Number, segments: segments, status: dinstarSending,
			report: q.Report == nil || *q.Report, unseen: d.o.Firmware.Unseen,
		})
	}
	return d.accept(all, q.Port)
}

// filled puts the parameters in the place of #param#, in order; a place without one stays.
func filled(text string, params []string) string {
	const mark = "#param#"
	var b strings.Builder
	for _, p := range params {
		before, after, found := strings.Cut(text, mark)
		if !found {
			break
		}
		b.WriteString(before)
		b.WriteString(p)
		text = after
	}
	b.WriteString(text)
	return b.String()
}

// cut cuts a text as the device does: "unicode" is UCS2 whatever the text, and in
// "gsm-7bit" a character that the alphabet does not have becomes a question mark.
func cut(text string, septets bool) []gsm7.Segment {
	if septets {
		if !gsm7.Fits(text) {
			text = strings.Map(func(r rune) rune {
				if gsm7.Fits(string(r)) {
					return r
				}
				return '?'
			}, text)
		}
		if segments, err := (gsm7.Options{Ref8: true}).Cut(text); err == nil {
			return segments
		}
	}
	return cutUCS2(text)
}

// The units of a UCS2 segment (TS 23.040 §9.2.3.16): alone, and behind a header of 6 octets.
const (
	ucs2Alone  = 70
	ucs2Joined = 67
)

// cutUCS2 cuts a text into UCS2 segments; no surrogate pair is torn.
func cutUCS2(text string) []gsm7.Segment {
	room := ucs2Joined
	if len(utf16.Encode([]rune(text))) <= ucs2Alone {
		room = ucs2Alone
	}
	var segments []gsm7.Segment
	start, used := 0, 0
	for i, r := range text {
		n := utf16.RuneLen(r)
		if used+n > room {
			segments = append(segments, ucs2Segment(text[start:i]))
			start, used = i, 0
		}
		used += n
	}
	return append(segments, ucs2Segment(text[start:]))
}

func ucs2Segment(text string) gsm7.Segment {
	return gsm7.Segment{Text: text, Units: utf16.Encode([]rune(text))}
}

// accept queues messages on the ports that can take them.
func (d *Dinstar) accept(all []*dinstarMessage, candidates []int) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	ports := d.usable(candidates)
	switch {
	case len(ports) == 0:
		return d.head(dinstarNoPort)
	case d.queued+len(all) > d.o.Firmware.Queue:
		return d.head(dinstarBroken)
	}
	task := d.task
	d.task++
	for _, m := range all {
		p := d.shortest(ports)
		m.task, m.port, m.card, m.at = task, p, p.card, d.now()
		p.queue = append(p.queue, m)
		d.queued++
		d.remember(m)
		d.next(p)
	}
	return struct {
		head
		Queue int `json:"sms_in_queue"`
		Task  int `json:"task_id"`
	}{d.head(dinstarAccepted), d.queued, task}
}

// remember keeps a message for query_sms_result, in place of the oldest.
func (d *Dinstar) remember(m *dinstarMessage) {
	d.results = append(d.results, m)
	if over := len(d.results) - d.o.Firmware.Results; over > 0 {
		d.results = d.results[over:]
	}
}

// usable gives the candidates that can send; all ports are candidates when none is named.
func (d *Dinstar) usable(candidates []int) []*dinstarPort {
	var ports []*dinstarPort
	if len(candidates) == 0 {
		for i := range d.ports {
			candidates = append(candidates, i)
		}
	}
	for _, i := range candidates {
		if i >= 0 && i < len(d.ports) && d.ports[i].usable() {
			ports = append(ports, d.ports[i])
		}
	}
	return ports
}

// shortest picks the port with the least to do; among equals they take turns.
func (d *Dinstar) shortest(ports []*dinstarPort) *dinstarPort {
	least := ports[0]
	for _, p := range ports[1:] {
		a, b := p.waiting(), least.waiting()
		if a < b || a == b && d.distance(p) < d.distance(least) {
			least = p
		}
	}
	d.turn = (least.n + 1) % len(d.ports)
	return least
}

func (d *Dinstar) distance(p *dinstarPort) int { return (p.n - d.turn + len(d.ports)) % len(d.ports) }

func (p *dinstarPort) waiting() int { return len(p.queue) + b2i(p.current != nil) }

// queryInQueue tells how many messages are not done.
func (d *Dinstar) queryInQueue(*dinstarRequest) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return struct {
		head
		Queue int `json:"in_queue"`
	}{d.head(dinstarOK), d.queued}
}

// stopSMS cancels what a task has not sent yet.
func (d *Dinstar) stopSMS(r *dinstarRequest) any {
	task, err := strconv.Atoi(r.URL.Query().Get("task_id"))
	if err != nil {
		return d.head(dinstarBad)
	}
	d.mu.Lock()
	stopped := 0
	for _, p := range d.ports {
		kept := p.queue[:0:0]
		for _, m := range p.queue {
			if m.task != task {
				kept = append(kept, m)
				continue
			}
			m.status = dinstarCanceled
			d.queued--
			stopped++
		}
		p.queue = kept
	}
	d.mu.Unlock()
	if stopped == 0 {
		return d.head(dinstarNotFound)
	}
	return d.head(dinstarOK)
}

// getStatus tells the device's load. All values are strings, and there is no error_code.
func (d *Dinstar) getStatus(r *dinstarRequest) any {
	var words []string
	if !r.decode(&words) {
		return d.head(dinstarBad)
	}
	status := map[string]any{}
	for _, word := range words {
		if word != "performance" {
			return d.head(dinstarBad)
		}
		status[word] = map[string]string{
			"cpu_used": "39", "flash_total": "27648", "flash_used": "17428", "memory_total": "109448",
			"memory_cached": "34192", "memory_buffers": "0", "memory_free": "58928", "memory_used": "50520",
		}
	}
	if len(status) == 0 {
		return dinstarText{http.StatusNotFound, "not found"}
	}
	return status
}
