package serial

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem/internal/at"
)

const (
	ussdLimit  = 120 * time.Second // for a whole dialogue
	ussdLength = 182               // characters of a request (TS 22.090 §5.2)
	ussdSteps  = 8                 // requests of one dialogue
)

// dial runs one USSD dialogue (TS 27.007 §7.15): a request, and answers to the menus that
// the network opens. It takes the modem for its commands only, so that a message waits
// for one of them at most; another dialogue waits for its end.
func (r *run) dial(ctx context.Context, steps []string) (string, error) {
	codes, err := r.ussdCodes(steps)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, ussdLimit, errSilentNetwork)
	defer cancel()
	select {
	case r.dialog <- struct{}{}:
		defer func() { <-r.dialog }()
	case <-ctx.Done():
		return "", givenUp(ctx)
	case <-r.s.Done():
		return "", errGone
	}
	answers := r.expect()
	defer r.unexpect()
	if err := r.endFormer(ctx, answers); err != nil {
		return "", err
	}
	for i, code := range codes {
		state, text, err := r.ask(ctx, code, answers)
		switch {
		case err != nil:
			return "", err
		case state != 1 && i+1 < len(codes):
			return "", gateway.Errorf(gateway.KindRefused, "the network ended the dialogue before request %d of %d", i+2, len(codes))
		case i+1 == len(codes):
			if state == 1 { // the network wants more of us; some modems tell later that it was ended
				r.former.Store(true)
				r.hangUp()
			}
			return text, ussdError(state, text)
		}
	}
	return "", errGone // no step: ussdCodes refuses that
}

// ussdCodes writes the requests as the modem wants them.
func (r *run) ussdCodes(steps []string) ([]string, error) {
	if len(steps) == 0 || len(steps) > ussdSteps {
		return nil, gateway.Invalid("code", "must be 1 to %d requests", ussdSteps)
	}
	codes := make([]string, len(steps))
	for i, code := range steps {
		if code == "" || len(code) > ussdLength || strings.ContainsAny(code, "\"\r\n\x1a\x1b") {
			return nil, gateway.Invalid("code", "must be 1 to %d characters such as *123#", ussdLength)
		}
		septets, ok := gsm7.EncodeSeptets(code)
		if !ok {
			return nil, gateway.Invalid("code", "must be in the GSM alphabet, such as *123#")
		}
		if codes[i] = code; r.quirk().packed {
			codes[i] = strings.ToUpper(hex.EncodeToString(gsm7.PackUSSD(septets))) // S8: not the library's
		}
	}
	return codes, nil
}

var (
	errGone          = &gateway.Error{Kind: gateway.KindUnavailable, Text: "the modem is gone"}
	errSilentNetwork = errors.New("the network did not answer the request")
)

// givenUp says why a dialogue ended that nobody waits for any more.
func givenUp(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errSilentNetwork) {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: errSilentNetwork.Error(), Err: cause}
	}
	return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the request was given up before the network answered", Err: cause}
}

// expect begins to take what the network says in a dialogue.
func (r *run) expect() <-chan at.URC {
	c := make(chan at.URC, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = c
	return c
}

func (r *run) unexpect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = nil
}

// answered hands +CUSD to who waits for it.
func (r *run) answered(u at.URC) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case r.answer <- u: // nil while nobody waits
	default:
	}
}

// endFormer ends a dialogue that was given up, and lets pass what the network still says
// to it: it must not be taken for the answer to the next.
func (r *run) endFormer(ctx context.Context, answers <-chan at.URC) error {
	if !r.former.Load() {
		return nil
	}
	r.hangUp()
	t := time.NewTimer(r.o.Every.Echo)
	defer t.Stop()
	for {
		select {
		case <-answers:
		case <-t.C:
			r.former.Store(false)
			return nil
		case <-r.s.Done():
			return errGone
		case <-ctx.Done():
			return givenUp(ctx)
		}
	}
}

// ask sends one request of a dialogue and waits for what the network says to it.
func (r *run) ask(ctx context.Context, code string, answers <-chan at.URC) (state int, text string, err error) {
	if _, err := r.s.Command(ctx, `+CUSD=1,"`+code+`",15`); err != nil {
		if at.RefusalOf(err) == nil {
			r.former.Store(true) // the network may have it
		}
		return 0, "", reasonOf(err)
	}
	select {
	case u := <-answers:
		state, text = parseUSSD(u.Args, r.quirk().packed)
		return state, text, nil
	case <-r.s.Done():
		return 0, "", errGone
	case <-ctx.Done():
		r.former.Store(true)
		r.hangUp()
		return 0, "", givenUp(ctx)
	}
}

// hangUp ends the dialogue on the network's side. The caller may be gone already.
func (r *run) hangUp() {
	// The dialogue is over for us either way; a modem that fails here fails its next command too.
	_, _ = r.s.Command(r.ctx, "+CUSD=2")
}

// ussdError says what a <m> means that is not an answer.
func ussdError(state int, text string) error {
	switch state {
	case 3:
		return &gateway.Error{Kind: gateway.KindConflict, Text: "another program on the modem answered"}
	case 4:
		return &gateway.Error{Kind: gateway.KindRefused, Text: "the network does not know this request"}
	case 5:
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the network did not answer in time"}
	}
	if state == 2 && text == "" {
		return &gateway.Error{Kind: gateway.KindRefused, Text: "the network ended the dialogue without an answer"}
	}
	return nil
}

// reasonOf gives the *gateway.Error in an error.
func reasonOf(err error) error {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}
