package serial

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// sameSIM looks whether the SIM that the channel is known by is there and can be
// used. errAgain: it is gone, locked, or another one.
func (r *run) sameSIM(ctx context.Context) error {
	state, err := r.sure(ctx, "READY", r.simState)
	if err != nil {
		return err
	}
	if reason, fault := simReason(state); reason != "" {
		r.log.Warn("the SIM is gone or locked", slog.String("state", state))
		s := gateway.ChannelStarting
		if fault {
			s = gateway.ChannelFault
		}
		r.state(s, reason)
		return errAgain // the SIM that comes back may be another one
	}
	iccid, err := r.sure(ctx, r.channel().ICCID, r.iccid)
	if err != nil || iccid == "" || iccid == r.channel().ICCID {
		return err
	}
	r.log.Warn("another SIM is in the modem")
	r.state(gateway.ChannelStarting, "another SIM is in the modem") // quota and reports belong to the card
	return errAgain
}

// pinLag is how often a SIM that took its PIN may say that it wants it, before it is
// taken for another one: not every modem reads the SIM at once.
const pinLag = 6

// unlock waits until the SIM can be used, and gives its PIN where that is allowed.
func (r *run) unlock(ctx context.Context) error {
	for lag := 0; ; {
		state, err := r.simState(ctx)
		if err != nil {
			return err
		}
		reason, fault := simReason(state)
		switch {
		case reason == "":
			return nil
		case state == "SIM PIN" && lag > 0:
			lag--
			reason, fault = "the SIM took its PIN and is not ready yet", false
		case state == "SIM PIN":
			if reason, err = r.enterPIN(ctx); err != nil {
				return err
			}
			if reason == "" {
				lag = pinLag
				continue
			}
		}
		if fault {
			r.state(gateway.ChannelFault, reason)
		} else {
			r.state(gateway.ChannelStarting, reason)
		}
		if err := r.pause(ctx, r.o.Every.Retry); err != nil {
			return err
		}
	}
}

// simState asks for the SIM: a word of TS 27.007 §8.3, or the code of a refusal.
func (r *run) simState(ctx context.Context) (string, error) {
	lines, err := r.s.Query(ctx, "+CPIN?", "+CPIN")
	if refusal := at.RefusalOf(err); refusal != nil {
		return refusal.Reason.Code, nil
	}
	if err != nil || len(lines) == 0 {
		return "", err
	}
	return lines[0], nil
}

// simReason says in words what a state of the SIM lacks, and whether a person must
// act; "" when it can be used.
func simReason(state string) (reason string, fault bool) {
	switch state {
	case "READY", "SIM PIN2", "SIM PUK2": // the second PIN guards nothing that we use
		return "", false
	case "SIM PIN":
		return "the SIM wants its PIN", true
	case "PH-SIM PIN", "PH-NET PIN", "PH-NETSUB PIN", "PH-SP PIN", "PH-CORP PIN", "CME 5":
		return "the modem is locked to another SIM or network (" + state + ")", true
	case "CME 10", "CMS 310", "NOT INSERTED":
		return "no SIM", true
	case "CME 13", "CMS 313":
		return "the SIM does not answer: is it seated well, and alive?", true
	case "CME 15", "CMS 315":
		return "the modem does not take this SIM", true
	case "SIM PUK", "CME 12", "CMS 316":
		return "the SIM is locked: it wants its PUK, which a person must enter", true
	case "CME 14", "CMS 314", "NOT READY", "":
		return "the SIM is not ready yet", false
	}
	return "the SIM cannot be used yet: " + strings.ToValidUTF8(state, "?"), false
}

// leastTries are the tries that must be left before we use one: the last is for a
// person.
const leastTries = 2

// enterPIN gives the SIM its PIN, once for each SIM and configured PIN. The reason
// says why it was not done, or what came of it; "" means that the SIM may be asked again.
func (r *run) enterPIN(ctx context.Context) (reason string, err error) {
	pin := r.o.Port.PIN
	if pin == "" {
		return "the SIM wants its PIN, and none is configured: set pin_file of this port", nil
	}
	card, err := r.card(ctx)
	if err != nil {
		return "", err
	}
	hash := pinHash(card, pin)
	if r.o.PINs.Tried(card, hash) {
		return "the configured PIN was tried on this SIM and not accepted: it is not tried again. Another one in pin_file is, once", nil
	}
	if left, known, err := r.triesLeft(ctx); err != nil {
		return "", err
	} else if known && left < leastTries {
		return fmt.Sprintf("the SIM wants its PIN and allows %d more tries: a person must enter it", left), nil
	}
	if err := r.o.PINs.Remember(ctx, card, hash); err != nil {
		return "the PIN is not tried: the try cannot be written down: " + err.Error(), nil
	}
	if _, err := r.s.Command(ctx, `+CPIN="`+string(pin)+`"`); err != nil {
		if at.RefusalOf(err) != nil {
			return "the SIM does not accept the configured PIN", nil
		}
		return "", err
	}
	if err := r.o.PINs.Forget(ctx, card, hash); err != nil {
		r.log.Warn("the PIN was right, but will not be tried again", "error", err)
	}
	return "", nil
}

// card names the SIM before it is unlocked: by its ICCID, which needs no PIN
// (TS 31.102 §4.2.1), or by the modem where that does not tell it.
func (r *run) card(ctx context.Context) (string, error) {
	iccid, err := r.iccid(ctx)
	if err != nil || iccid != "" {
		return iccid, err
	}
	return "imei:" + r.channel().IMEI, nil
}

// triesLeft asks how often a PIN may still be tried: the first number of the answer
// that stands alone.
func (r *run) triesLeft(ctx context.Context) (int, bool, error) {
	for _, cmd := range r.quirk().tries {
		info, err := r.s.Command(ctx, cmd)
		if err := optional(err); err != nil {
			return 0, false, err
		}
		for _, line := range info {
			if n, ok := firstTries(line); ok {
				return n, true, nil
			}
		}
	}
	return 0, false, nil
}

// firstTries reads the tries for the first PIN. The makers write +QPINC: "SC",3,10 or
// +SPIC: 3,10,0,10 or +CPINR: SIM PIN,3,3 or ^CPIN: SIM PIN,3,10,3,10,3.
func firstTries(line string) (int, bool) {
	_, rest, ok := strings.Cut(line, ":")
	if !ok {
		return 0, false
	}
	for _, f := range strings.Split(rest, ",") {
		if n, ok := at.FirstInt(f); ok && n <= 10 && digits(strings.TrimSpace(f)) {
			return n, true
		}
	}
	return 0, false
}
