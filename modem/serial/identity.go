package serial

import (
	"context"
	"strings"

	"fieldpost/gateway"
)

// identify asks who the modem is, and chooses its quirks.
func (r *run) identify(ctx context.Context) error {
	maker, err := r.word(ctx, "+CGMI")
	if err != nil {
		return err
	}
	model, err := r.word(ctx, "+CGMM")
	if err != nil {
		return err
	}
	imei, err := r.sure(ctx, r.o.Port.IMEI, func(ctx context.Context) (string, error) { return r.number(ctx, "+CGSN", 14, 17) })
	if err != nil {
		return err
	}
	if want := r.o.Port.IMEI; want != "" && imei != "" && !sameIMEI(want, imei) {
		return gateway.Errorf(gateway.KindConflict, "%s: another modem is here: its IMEI is %s, not %s", r.channel().Device, imei, want)
	}
	r.mu.Lock()
	r.q = quirkOf(maker)
	r.mu.Unlock()
	r.set(func(c *gateway.Channel) { c.Model, c.IMEI = strings.TrimSpace(maker+" "+model), imei })
	for _, cmd := range r.quirk().init {
		if _, err := r.s.Command(ctx, cmd); optional(err) != nil {
			return err
		}
	}
	return nil
}

// maxAsked is how often an answer is asked for that does not come the same way twice.
const maxAsked = 5

// sure asks until the answer is the one that is expected, or came twice in a row: a digit
// that the wire changed must not make another SIM or modem of it.
func (r *run) sure(ctx context.Context, expected string, ask func(context.Context) (string, error)) (string, error) {
	last, err := ask(ctx)
	for n := 1; err == nil && last != expected && n < maxAsked; n++ {
		var again string
		if again, err = ask(ctx); again == last {
			break
		}
		last = again
	}
	return last, err
}

// sameIMEI compares the 14 digits that count: the last is a check digit or, in an
// IMEISV, a version (TS 23.003 §6.2).
func sameIMEI(a, b string) bool {
	return len(a) >= 14 && len(b) >= 14 && a[:14] == b[:14]
}

// identifySIM asks who the SIM is.
func (r *run) identifySIM(ctx context.Context) error {
	iccid, err := r.sure(ctx, r.channel().ICCID, r.iccid)
	if err != nil {
		return err
	}
	imsi, err := r.number(ctx, "+CIMI", 6, 15)
	if err != nil {
		return err
	}
	number, err := r.ownNumber(ctx)
	if err != nil {
		return err
	}
	r.set(func(c *gateway.Channel) { c.ICCID, c.IMSI, c.Number = iccid, imsi, number })
	return nil
}

// iccid asks for the card's number (ITU-T E.118 §4.1: 19 or 20 digits) in every way that
// the maker's modems know.
func (r *run) iccid(ctx context.Context) (string, error) {
	for _, cmd := range r.quirk().iccid {
		info, err := r.s.Command(ctx, cmd)
		if err := optional(err); err != nil {
			return "", err
		}
		for _, line := range info {
			if n, ok := parseICCID(line); ok {
				return n, nil
			}
		}
	}
	return "", nil
}

// parseICCID reads a card's number, whatever stands before it.
func parseICCID(line string) (string, bool) {
	if _, rest, ok := strings.Cut(line, ":"); ok {
		line = rest
	}
	n := strings.TrimRight(strings.Trim(line, " \""), "Ff") // an odd length is filled up
	return n, len(n) >= 18 && len(n) <= 20 && digits(n)
}

// ownNumber asks for the SIM's own number: mostly nobody wrote it there.
func (r *run) ownNumber(ctx context.Context) (string, error) {
	lines, err := r.s.Query(ctx, "+CNUM", "+CNUM")
	if err := optional(err); err != nil || len(lines) == 0 {
		return "", err
	}
	return parseOwnNumber(lines[0]), nil
}

// parseOwnNumber reads "name","+59899000001",145 (TS 27.007 §7.1); "" where there is none.
func parseOwnNumber(args string) string {
	f := strings.Split(args, ",")
	if len(f) < 2 {
		return ""
	}
	n := strings.Trim(f[1], `" `)
	if !numberLike(n) {
		return ""
	}
	return n
}

// word asks for one line of text, such as a maker's name.
func (r *run) word(ctx context.Context, cmd string) (string, error) {
	info, err := r.s.Command(ctx, cmd)
	if err := optional(err); err != nil || len(info) == 0 {
		return "", err
	}
	line := info[0]
	if rest, ok := strings.CutPrefix(line, cmd+":"); ok {
		line = rest
	}
	return strings.ToValidUTF8(strings.Trim(line, " \""), "?"), nil
}

// number asks for a line of so many digits: other lines of the answer are not it (A1).
func (r *run) number(ctx context.Context, cmd string, least, most int) (string, error) {
	info, err := r.s.Command(ctx, cmd)
	if err := optional(err); err != nil {
		return "", err
	}
	for _, line := range info {
		if rest, ok := strings.CutPrefix(line, cmd+":"); ok {
			line = rest
		}
		if n := strings.Trim(line, " \""); len(n) >= least && len(n) <= most && digits(n) {
			return n, nil
		}
	}
	return "", nil
}
