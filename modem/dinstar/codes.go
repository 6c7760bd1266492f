package dinstar

import (
	"errors"
	"fmt"
	"strings"

	"fieldpost/gateway"
)

// The codes that mean yes.
const (
	codeOK       = 200
	codeAccepted = 202
)

// codeNoPort says that no port that was named can send.
const codeNoPort = 550

// codeNoAPI is the code of an answer without one: the API is turned off.
const codeNoAPI = "HTTP 404"

// verdict is what an error_code means.
type verdict struct {
	code int64
	kind gateway.Kind
	text string
}

// verdicts is the table of error_code. A code that is not in it says nothing.
func verdicts() []verdict {
	return []verdict{
		{codeOK, gateway.KindNone, ""},
		{codeAccepted, gateway.KindNone, ""},
		{400, gateway.KindInvalid, "the gateway finds the request malformed"},
		{404, gateway.KindNotFound, "the gateway does not know it"},
		{413, gateway.KindInvalid, "the text is too long for the gateway"},
		{500, gateway.KindUnavailable, "the gateway has a fault of its own"},
		{codeNoPort, gateway.KindUnavailable, "the gateway has no usable port for it"},
	}
}

// codeError gives the error of an error_code; nil for those that mean yes.
func codeError(code int64) error {
	for _, v := range verdicts() {
		if v.code != code {
			continue
		}
		if v.kind == gateway.KindNone {
			return nil
		}
		return &gateway.Error{Kind: v.kind, Text: v.text, Code: codeName(code)}
	}
	return &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: "the gateway answers with a code that nobody knows", Code: codeName(code)}
}

// hasCode says that an error came of an error_code.
func hasCode(err error, code int64) bool {
	var e *gateway.Error
	return errors.As(err, &e) && e.Code == codeName(code)
}

func codeName(code int64) string { return fmt.Sprintf("Dinstar %d", code) }

// fate is what became of a message.
type fate uint8

// The fates that a gateway tells.
const (
	fateOpen      fate = iota // it has it, or says nothing that we know
	fateSent                  // the network took it
	fateDelivered             // a report came
	fateFailed                // it did not go out
	fateCanceled              // it was taken out of the queue
)

// fateOf reads a status of query_sms_result. A word that is not known may change yet.
func fateOf(status text) fate {
	switch strings.ToUpper(status.word()) {
	case "SENT_OK":
		return fateSent
	case "DELIVERED":
		return fateDelivered
	case "FAILED":
		return fateFailed
	case "CANCELED", "CANCELLED":
		return fateCanceled
	}
	return fateOpen
}

// verdictOf says what a row of query_sms_result means for its message; done is false
// while its outcome is open.
func verdictOf(x result) (f fate, done bool, err error) {
	f = fateOf(x.Status)
	switch {
	case f == fateOpen:
		return f, false, nil
	case x.Succeeded.n > 0 && (f == fateFailed || f == fateCanceled || x.Succeeded.n < x.Count.n):
		return f, true, &gateway.Error{Kind: gateway.KindUnknownOutcome, Code: x.Status.word(),
			Text: fmt.Sprintf("%d of %d segments went out", x.Succeeded.n, max(x.Count.n, x.Succeeded.n))}
	case f == fateFailed:
		return f, true, &gateway.Error{Kind: gateway.KindRefused, Text: "the gateway could not send it", Code: "FAILED"}
	case f == fateCanceled:
		return f, true, &gateway.Error{Kind: gateway.KindUnavailable, Text: "it was taken out of the gateway's queue", Code: x.Status.word()}
	}
	return f, true, nil
}
