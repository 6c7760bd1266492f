package dinstar

import (
	"context"
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
)

// maxText is the longest text of a send_sms, in bytes of UTF-8.
const maxText = 1500

// placeholder is what the gateway fills with a recipient's text_param.
const placeholder = "#param#"

// submission is the body of send_sms. Port and encoding stand at the top: inside
// param they are ignored in silence (T9).
type submission struct {
	Text     string      `json:"text"`
	Ports    []int       `json:"port"`
	To       []recipient `json:"param"`
	Encoding string      `json:"encoding"`
	Report   bool        `json:"request_status_report"`
}

type recipient struct {
	Number string   `json:"number"`
	Params []string `json:"text_param,omitempty"`
	UserID uint32   `json:"user_id"`
}

func (s *site) submissionOf(port int, m modem.Submission) submission {
	b := submission{
		Text: m.Text, Ports: []int{port}, Encoding: "unicode", Report: m.Report || s.o.Report,
		To: []recipient{{Number: string(m.To), UserID: m.UserID}},
	}
	if m.Encoding == gateway.EncodingGSM7 {
		b.Encoding = "gsm-7bit"
	}
	if strings.Contains(m.Text, placeholder) { // the words of somebody, and none of ours
		b.Text, b.To[0].Params = placeholder, []string{m.Text}
	}
	return b
}

// check refuses what the gateway can never carry.
func check(m modem.Submission) error {
	switch {
	case m.Flash:
		return gateway.Invalid("flash", "a Dinstar gateway carries no flash messages")
	case len(m.Text) > maxText:
		return gateway.Invalid("text", "has %d bytes; the gateway takes %d", len(m.Text), maxText)
	case m.UserID == 0 || m.UserID > math.MaxInt32:
		return gateway.Errorf(gateway.KindInternal, "user id %d does not fit the gateway's field", m.UserID)
	}
	return nil
}

// send hands a message over and waits for its outcome.
func (s *site) send(ctx context.Context, n int, m modem.Submission) (modem.Receipt, error) {
	if ctx.Err() != nil {
		return modem.Receipt{}, givenUp(ctx)
	}
	if err := check(m); err != nil {
		return modem.Receipt{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	w, err := s.begin(n, m)
	if err != nil {
		return modem.Receipt{}, err
	}
	defer s.finish(w)
	a, err := s.api.post(ctx, s.o.Times.Submit, "send_sms", s.submissionOf(n, m))
	switch {
	case err == nil && a.Code.n != codeAccepted:
		err = &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: "the gateway does not say that it took the message", Code: codeName(a.Code.n)}
	case err != nil && gateway.KindOf(err) != gateway.KindUnknownOutcome:
		return modem.Receipt{}, s.submitError(n, err)
	}
	s.learn(a)
	s.await(w, a.TaskID, err)
	s.queued(a.Queued)
	return s.outcome(ctx, w)
}

// submitError says what a refused send_sms means for the message. A port that is not
// usable although it is registered is left alone until it is looked at again.
func (s *site) submitError(n int, err error) error {
	if hasCode(err, codeNoPort) {
		s.mu.Lock()
		s.ports[n].refused = true
		s.set(s.ports[n], func(*gateway.Channel) {})
		s.mu.Unlock()
	}
	switch gateway.KindOf(err) {
	case gateway.KindUnauthorized, gateway.KindForbidden, gateway.KindNotFound, gateway.KindInternal:
		// A fault of the site, not of the message: it can go when it is mended.
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: err.Error(), Retry: retryOf(err), Err: err}
	}
	return err
}

// retryOf gives the wait that an error asks for.
func retryOf(err error) time.Duration {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e.Retry
	}
	return 0
}

// lastWords is how long a send that was given up may still ask the gateway.
const lastWords = 2 * time.Second

// outcome waits until the gateway told what became of a message.
func (s *site) outcome(ctx context.Context, w *awaited) (modem.Receipt, error) {
	limit := time.NewTimer(s.o.Times.Fate)
	defer limit.Stop()
	select {
	case v := <-w.told:
		return s.settle(ctx, w, v)
	case <-ctx.Done():
		// Who gave it up may have it sent again: it should not lie in the gateway then.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		return s.takeBack(last, w, "it was given up before its outcome was known")
	case <-limit.C:
		return s.takeBack(ctx, w, "the gateway has not told its outcome in time")
	}
}

// settle turns the gateway's word into that of the contract.
func (s *site) settle(ctx context.Context, w *awaited, v told) (modem.Receipt, error) {
	if v.err != nil && gateway.KindOf(v.err) == gateway.KindRefused && !s.registered(ctx, w.port) {
		return modem.Receipt{}, &gateway.Error{Kind: gateway.KindUnavailable, Code: "FAILED",
			Text: "the gateway could not send it: the port is not registered"}
	}
	if v.err != nil {
		return modem.Receipt{}, v.err
	}
	r := receiptOf(v.row)
	if v.fate == fateDelivered && w.report && r.HasMR {
		// The receipt stands without it, and the list of reports brings it again.
		_ = s.host.Report(ctx, s.deliveryOf(v.row, w, r))
	}
	return r, nil
}

func receiptOf(x result) modem.Receipt {
	mr, ok := x.Ref.octet()
	if !ok {
		return modem.Receipt{}
	}
	return modem.Receipt{MR: mr, HasMR: true}
}

// registered asks whether a port is in a network now: FAILED does not say why.
func (s *site) registered(ctx context.Context, n int) bool {
	a, err := s.info(ctx, []int{n}, []string{"reg"})
	if err != nil || len(a.Info) == 0 {
		return true // it does not say otherwise
	}
	state, _, _ := standing(a.Info[0].Reg.word())
	return state == gateway.ChannelReady
}

// takeBack takes a message that the gateway still has out of its queue, and asks one
// last time what became of it; otherwise says why that is not known.
func (s *site) takeBack(ctx context.Context, w *awaited, otherwise string) (modem.Receipt, error) {
	if task := w.task; task.ok {
		// Whatever it answers, the question below has the truth.
		_, _ = s.api.get(ctx, "stop_sms", url.Values{"task_id": {strconv.FormatInt(task.n, 10)}})
	}
	a, err := s.ask(ctx, []uint32{w.userID})
	if err == nil {
		if row, ok := w.pick(a.Results); ok {
			if f, done, err := verdictOf(row); done {
				return s.settle(ctx, w, told{fate: f, row: row, err: err})
			}
		}
	}
	if err != nil {
		otherwise += ": " + err.Error()
	}
	return modem.Receipt{}, w.unknown(otherwise)
}

// reconcile asks for the fate of a message of a former run.
func (s *site) reconcile(ctx context.Context, n int, q modem.Question) (modem.Receipt, error) {
	w := &awaited{userID: q.UserID, port: n, to: q.To}
	a, err := s.ask(ctx, []uint32{q.UserID})
	if err != nil {
		return modem.Receipt{}, &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: err.Error(), Err: err}
	}
	row, ok := w.pick(a.Results)
	if !ok {
		return modem.Receipt{}, w.unknown("the gateway does not know the message")
	}
	_, done, err := verdictOf(row)
	switch {
	case !done:
		return modem.Receipt{}, w.unknown("the gateway still has the message")
	case err != nil:
		return modem.Receipt{}, err
	}
	return receiptOf(row), nil
}
