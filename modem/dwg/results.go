package dwg

import (
	"fmt"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

// outcome is the table of send results: what each means for the message. A code
// that is not here is in doubt. CodeFailed is final: the network said no to it, and the
// protocol has no other word for that; a SIM that is refused everything is rested by the
// dialer.
func outcome(c dwgwire.Code) (kind gateway.Kind, text string) {
	switch c {
	case dwgwire.CodeOK:
		return gateway.KindNone, ""
	case dwgwire.CodeFailed:
		return gateway.KindRefused, "the network refused the message, and the gateway does not say why"
	case dwgwire.CodeTimeout:
		return gateway.KindUnknownOutcome, "the network did not answer the gateway in time"
	case dwgwire.CodeBadRequest:
		return gateway.KindInvalid, "the gateway calls the request invalid"
	case dwgwire.CodeUnavailable:
		return gateway.KindUnavailable, "the gateway says that the port is unavailable"
	case dwgwire.CodePartial:
		return gateway.KindUnknownOutcome, "a part of the message went out"
	}
	return gateway.KindUnknownOutcome, "the gateway gives no clear result"
}

// verdict reads a send result: nil = it went out.
func verdict(r *dwgwire.Result) error {
	code, some := r.Code, r.Succeeded > 0 && r.Succeeded < r.Slices
	if some && (code == dwgwire.CodeOK || code == dwgwire.CodeFailed) {
		code = dwgwire.CodePartial // the counts contradict it: neither is to be trusted
	}
	kind, text := outcome(code)
	if kind == gateway.KindNone {
		return nil
	}
	if some {
		text = fmt.Sprintf("%s: %d of %d segments", text, r.Succeeded, r.Slices)
	}
	return &gateway.Error{Kind: kind, Text: text, Code: fmt.Sprintf("DWG %d", r.Code)}
}
