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
	ussdLimit  = 120 * time.Second // for the network's answer
	ussdLength = 182               // characters of a request (TS 22.090 §5.2)
	dcsUCS2    = 72                // <dcs> of a text in UCS2 (TS 23.038 §5)
)

// dial runs one USSD request (TS 27.007 §7.15). The modem is free for messages while
// the network thinks.
func (r *run) dial(ctx context.Context, code string) (string, error) {
	if code == "" || len(code) > ussdLength || strings.ContainsAny(code, "\"\r\n\x1a\x1b") {
		return "", gateway.Invalid("code", "must be 1 to %d characters such as *123#", ussdLength)
	}
	septets, ok := gsm7.EncodeSeptets(code)
	if !ok {
		return "", gateway.Invalid("code", "must be in the GSM alphabet, such as *123#")
	}
	select {
	case r.dialog <- struct{}{}:
		defer func() { <-r.dialog }()
	case <-ctx.Done():
		return "", ctx.Err()
	case <-r.s.Done():
		return "", errGone
	}
	if r.quirk().packed {
		code = strings.ToUpper(hex.EncodeToString(gsm7.PackUSSD(septets))) // S8: not the library's
	}
	answer := r.await()
	defer r.unawait()
	if _, err := r.s.Command(ctx, `+CUSD=1,"`+code+`",15`); err != nil {
		return "", reasonOf(err)
	}
	return r.converse(ctx, answer)
}

var errGone = &gateway.Error{Kind: gateway.KindUnavailable, Text: "the modem is gone"}

func (r *run) await() <-chan at.URC {
	c := make(chan at.URC, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = c
	return c
}

func (r *run) unawait() {
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

// converse waits for the network's answer and ends the dialogue.
func (r *run) converse(ctx context.Context, answer <-chan at.URC) (string, error) {
	limit := time.NewTimer(ussdLimit)
	defer limit.Stop()
	select {
	case u := <-answer:
		state, text := parseUSSD(u.Args, r.quirk().packed)
		if state == 1 { // the network wants more of us
			r.hangUp()
		}
		return text, ussdError(state, text)
	case <-r.s.Done():
		return "", errGone
	case <-ctx.Done():
		r.hangUp()
		return "", &gateway.Error{Kind: gateway.KindUnavailable, Text: "the request was given up before the network answered", Err: ctx.Err()}
	case <-limit.C:
		r.hangUp()
		return "", &gateway.Error{Kind: gateway.KindUnavailable, Text: "the network did not answer the request"}
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

// parseUSSD reads <m>[,<str>[,<dcs>]]. A text in UCS2 comes in hex; one in the GSM
// alphabet does so on modems that pack it.
func parseUSSD(args string, packed bool) (state int, text string) {
	state, _ = at.FirstInt(args)
	open := strings.IndexByte(args, '"')
	end := strings.LastIndexByte(args, '"')
	if open < 0 || end <= open {
		return state, ""
	}
	text = args[open+1 : end]
	dcs, known := at.FirstInt(strings.TrimLeft(args[end+1:], ", "))
	raw, err := hex.DecodeString(text)
	switch {
	case err != nil || len(raw) == 0:
		return state, strings.ToValidUTF8(text, "?")
	case known && ucs2(dcs) && len(raw)%2 == 0:
		return state, gsm7.DecodeUCS2(raw)
	case packed:
		return state, gsm7.DecodeSeptets(gsm7.UnpackUSSD(raw))
	}
	return state, text
}

// ucs2 reads the alphabet of a cell broadcast <dcs> (TS 23.038 §5).
func ucs2(dcs int) bool {
	return dcs == dcsUCS2 || dcs == 0x11 || dcs&0xC0 == 0x40 && dcs&0x0C == 0x08
}

// reasonOf gives the *gateway.Error in an error.
func reasonOf(err error) error {
	var e *gateway.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}
