package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// DinstarDeed is what a fault of a gateway's API does.
type DinstarDeed uint8

// The deeds. "Done" means that the gateway did what it was asked to.
const (
	DropBefore    DinstarDeed = iota + 1 // connection closed without an answer; not done
	AcceptAndDrop                        // connection closed without an answer; done
	AnswerCode                           // error_code Code; not done
	AnswerStatus                         // HTTP status Code with a page; not done
	SpuriousLogin                        // 401, or 403 where Code says so, for a login that is right; not done
	StaleNonce                           // 401 with a new nonce; not done
	AnswerHTML                           // a page of HTML with status 200; done
	HalfJSON                             // the first half of the JSON; done
	CutBody                              // the connection is closed in the middle of the JSON; done
	WrongTypes                           // numbers as strings, strings as lists; done
	HugeBody                             // 10 MB of blanks and no end; done
	SlowBody                             // the JSON in two halves, Delay or Until between them; done
	LateAnswer                           // the whole answer after Delay or Until; done
)

// DinstarFault is something that goes wrong with a request. Requests are counted
// once they logged in. One with At is over when it has happened; the others stay.
type DinstarFault struct {
	Path   string  // endpoint, such as "send_sms"; "" = every one
	At     int     // the nth request to Path from now, 1-based; 0 = by Every or Chance
	Every  int     // each nth request to Path from now; 0 = by Chance, at every one
	Chance float64 // 0 to 1
	Do     DinstarDeed
	Code   int             // for AnswerCode, AnswerStatus and SpuriousLogin; 0 = 500, 500 and 401
	Delay  time.Duration   // for SlowBody and LateAnswer
	Until  <-chan struct{} // instead of Delay: until it is closed
	// Hit is closed when the fault's request comes; nil = nobody waits. For faults with At.
	Hit chan<- struct{}
}

// armedDinstar is a fault that waits for its request.
type armedDinstar struct {
	DinstarFault
	at   uint64 // by the counter of its path
	from uint64 // where that counter stood
}

// begin tells whoever waits that the fault is there.
func (f *DinstarFault) begin() {
	if f.Hit != nil && f.At > 0 {
		close(f.Hit)
	}
}

func (f *DinstarFault) code(plain int) int { return or(f.Code, plain) }

// Inject arms faults: those with At count the requests from now.
func (d *Dinstar) Inject(faults ...DinstarFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range faults {
		a := armedDinstar{DinstarFault: f, from: d.requests[f.Path]}
		if f.At > 0 {
			a.at = a.from + uint64(f.At)
		}
		d.faults = append(d.faults, a)
	}
}

// Heal takes every armed fault and refusal away.
func (d *Dinstar) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults, d.refusals = nil, nil
}

// pick counts a request and takes its fault: a counted one first, else one by chance.
func (d *Dinstar) pick(path string) *DinstarFault {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests[""]++
	d.requests[path]++
	for i := range d.faults {
		if f := d.faults[i]; f.at > 0 && f.at == d.requests[f.Path] && (f.Path == "" || f.Path == path) {
			d.faults = append(d.faults[:i:i], d.faults[i+1:]...)
			return &f.DinstarFault
		}
	}
	for i := range d.faults {
		f := d.faults[i]
		switch {
		case f.at > 0 || f.Path != "" && f.Path != path:
		case f.Every > 0 && (d.requests[f.Path]-f.from)%uint64(f.Every) == 0,
			f.Every == 0 && d.chance(path, d.requests[path], saltFault+uint64(i)) < f.Chance:
			return &f.DinstarFault
		}
	}
	return &DinstarFault{}
}

// chance draws for the nth request to a path.
func (d *Dinstar) chance(path string, n, salt uint64) float64 {
	return chance(d.net.o.Seed, d.o.Serial+"/"+path, n, salt)
}

// refuses plays the faults that keep a request from being done.
func (d *Dinstar) refuses(w http.ResponseWriter, f *DinstarFault) bool {
	switch f.Do {
	case DropBefore:
		panic(http.ErrAbortHandler)
	case AnswerCode:
		status, kind, data := d.encode(d.head(f.code(dinstarBroken)))
		write(w, status, kind, data)
	case AnswerStatus:
		write(w, f.code(http.StatusInternalServerError), "text/html", []byte(errorPage))
	case SpuriousLogin:
		if f.code(http.StatusUnauthorized) == http.StatusForbidden {
			write(w, http.StatusForbidden, "text/plain", []byte("forbidden"))
			break
		}
		w.Header().Set("Connection", "close") // T8: a new connection cures it
		d.challenge(w, wrong)
	case StaleNonce:
		d.challenge(w, stale)
	default:
		return false
	}
	return true
}

const errorPage = "<html><head><title>Document Error</title></head><body><h2>Access Error</h2></body></html>"

// hugeBody is how much a HugeBody takes, in bytes.
const hugeBody = 10 << 20

// reply writes an answer, as far as its fault lets it.
func (d *Dinstar) reply(w http.ResponseWriter, f *DinstarFault, status int, kind string, data []byte) {
	switch f.Do {
	case AcceptAndDrop:
		panic(http.ErrAbortHandler)
	case AnswerHTML:
		write(w, http.StatusOK, "text/html", []byte(errorPage))
	case HalfJSON:
		write(w, status, kind, data[:len(data)/2])
	case CutBody:
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		d.half(w, status, kind, data)
		panic(http.ErrAbortHandler)
	case WrongTypes:
		write(w, status, kind, twist(data))
	case HugeBody:
		write(w, status, kind, bytes.Repeat([]byte(" "), hugeBody))
	case SlowBody:
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		d.half(w, status, kind, data)
		d.pause(f)
		_, _ = w.Write(data[len(data)/2:])
	case LateAnswer:
		d.pause(f)
		write(w, status, kind, data)
	default:
		write(w, status, kind, data)
	}
}

// half writes the first half of an answer and sends it off.
func (d *Dinstar) half(w http.ResponseWriter, status int, kind string, data []byte) {
	write(w, status, kind, data[:len(data)/2])
	_ = http.NewResponseController(w).Flush() // a writer that cannot flush sends it with the rest
}

// pause waits for the end of a fault, or of the gateway: then nobody gets an answer.
func (d *Dinstar) pause(f *DinstarFault) {
	until := f.Until
	if until == nil {
		ended := make(chan struct{})
		timer := time.AfterFunc(f.Delay, func() { close(ended) })
		defer timer.Stop()
		until = ended
	}
	select {
	case <-until:
	case <-d.ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

// twist gives each value of an answer another type.
func twist(data []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return data
	}
	twisted, err := json.Marshal(twisted(v))
	if err != nil {
		return data
	}
	return twisted
}

func twisted(v any) any {
	switch v := v.(type) {
	case json.Number:
		return fmt.Sprintf("<%s>", v)
	case string:
		return []any{v}
	case []any:
		for i := range v {
			v[i] = twisted(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = twisted(v[k])
		}
	}
	return v
}
