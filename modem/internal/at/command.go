package at

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
)

// Command runs a command, without its AT, and gives the lines of its answer. A
// *Refusal says that the modem refused it. Any other error is of kind unavailable;
// either the modem is in sync again, or ErrSilent is among the causes.
func (s *Session) Command(ctx context.Context, cmd string) ([]string, error) {
	if err := s.turn.take(ctx, false, s.port.Done()); err != nil {
		return nil, s.away(cmd, err)
	}
	defer s.turn.give()
	if s.silent {
		return nil, s.away(cmd, ErrSilent)
	}
	info, cut, err := s.run(ctx, call{cmd: cmd}, s.times.of(cmd), 0)
	if err == nil || RefusalOf(err) != nil {
		return info, err
	}
	if cut.Running {
		err = both(err, s.settle(false))
	}
	return nil, s.away(cmd, err)
}

// Query runs a command and gives the arguments of the lines of its answer that bear
// a name, such as "+CSQ" (A1: an answer may hold lines that are not its own).
func (s *Session) Query(ctx context.Context, cmd, name string) ([]string, error) {
	info, err := s.Command(ctx, cmd)
	if err != nil {
		return nil, err
	}
	var args []string
	for _, line := range info {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			args = append(args, strings.TrimSpace(rest))
		}
	}
	return args, nil
}

// Submitted is what a modem said of a TPDU that it handed to the network.
type Submitted struct {
	MR  uint8 // TP-MR (TS 23.040 §9.2.3.6)
	Had bool  // MR was told
}

// Submit hands a TPDU to the network: AT+CMGS of TS 27.005 §4.3. n is the TPDU's
// length in octets, without the SMSC's; pdu is both in hex. An error of kind
// unknown_outcome says that it may have gone out; with any other it did not.
func (s *Session) Submit(ctx context.Context, n int, pdu string) (Submitted, error) {
	if err := s.turn.take(ctx, true, s.port.Done()); err != nil {
		return Submitted{}, s.away("+CMGS", err)
	}
	defer s.turn.give()
	if s.silent {
		return Submitted{}, s.away("+CMGS", ErrSilent)
	}
	s.link.Late() // a reference that came long ago is not this one's
	info, cut, err := s.run(ctx, call{cmd: "+CMGS=" + strconv.Itoa(n), payload: pdu}, s.times.Prompt, s.times.Submit)
	if err == nil {
		return s.reference(info, cut)
	}
	if r := RefusalOf(err); r != nil {
		return Submitted{}, s.refused(cut, r)
	}
	return s.unanswered(cut, err)
}

// refused ends a submission that the modem refused: with its payload in hand, or
// before it saw anything of the message.
func (s *Session) refused(cut Cut, r *Refusal) error {
	if cut.Payload {
		if r.Class == Doubt {
			r.Reason.Kind = gateway.KindUnknownOutcome
			r.Reason.Text += ": it may have been sent"
		}
		return r
	}
	if r.Class == Permanent { // of the command, not of the message
		r.Reason.Kind = gateway.KindUnavailable
	}
	s.unprompt()
	return r
}

// unprompt takes the modem back from a prompt that was not waited for: the answer
// that came first may have been the late one of a command before.
func (s *Session) unprompt() {
	_ = s.settle(true) // where it fails, the session is silent and says so at the next command
}

// reference reads the answer to a submission that the modem accepted.
func (s *Session) reference(info []string, cut Cut) (Submitted, error) {
	for _, line := range info {
		if rest, ok := strings.CutPrefix(line, "+CMGS:"); ok {
			return submitted(rest), nil
		}
	}
	if !cut.Payload {
		s.unprompt()
		return Submitted{}, s.away("+CMGS", errors.New("OK came before the prompt"))
	}
	return Submitted{}, doubtful("the modem answered OK without a reference", nil)
}

func submitted(args string) Submitted {
	mr, had := FirstInt(args)
	return Submitted{MR: uint8(mr), Had: had && mr >= 0 && mr <= 255}
}

// unanswered ends a submission that got no answer. If its reference comes while the
// modem finds back into sync, it was sent after all (A4b).
func (s *Session) unanswered(cut Cut, err error) (Submitted, error) {
	if cut.Running {
		err = both(err, s.settle(!cut.Payload))
	}
	if !cut.Payload {
		return Submitted{}, s.away("+CMGS", err)
	}
	if args, ok := s.link.Late(); ok {
		return submitted(args), nil
	}
	return Submitted{}, doubtful("the modem did not say what became of the message", err)
}

func doubtful(text string, cause error) error {
	return &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: text + ": it may have been sent", Err: cause}
}

// away says that a command did not take place, or was not answered.
func (s *Session) away(cmd string, cause error) error {
	if c := s.port.Cause(); c != nil {
		return &gateway.Error{Kind: gateway.KindUnavailable, Text: fmt.Sprintf("AT%s: the port is gone: %v", verb(cmd), c), Err: cause}
	}
	return &gateway.Error{Kind: gateway.KindUnavailable, Text: fmt.Sprintf("AT%s: %v", verb(cmd), cause), Err: cause}
}

// run hands a command to the library and waits: for limit, and if its payload is
// written by then, for answer more. The error is a *Refusal, or says why there is no
// answer; Cut says what the command had done by then.
func (s *Session) run(ctx context.Context, c call, limit, answer time.Duration) ([]string, Cut, error) {
	if cause := s.port.Cause(); cause != nil { // nobody takes calls any more
		return nil, Cut{}, cause
	}
	s.link.Forget()
	select {
	case s.calls <- c:
	case <-s.port.Done():
		return nil, Cut{}, s.port.Cause()
	}
	s.timer.Reset(limit)
	defer s.timer.Stop()
	for {
		select {
		case r := <-s.results:
			return r.info, s.done(c), refusal(r.err)
		case <-s.timer.C:
			if answer > 0 && s.link.Wrote() {
				s.timer.Reset(answer)
				answer = 0
				continue
			}
			return s.giveUp(c, ErrNoAnswer)
		case <-ctx.Done():
			return s.giveUp(c, ctx.Err())
		case <-s.port.Done():
			return s.drain(c)
		}
	}
}

// done describes a command that is over.
func (s *Session) done(c call) Cut {
	return Cut{Payload: c.payload != "" && s.link.Wrote()}
}

// giveUp takes a command back from the library. An answer that came at the same
// moment counts.
func (s *Session) giveUp(c call, cause error) ([]string, Cut, error) {
	cut := s.link.Abandon()
	cut.Payload = cut.Payload && c.payload != ""
	s.timer.Reset(s.times.Grace)
	select {
	case r := <-s.results:
		if !cut.Running {
			return r.info, cut, refusal(r.err)
		}
	case <-s.port.Done():
	case <-s.timer.C: // A5: the library sits in a write
		s.port.CloseWith(fmt.Errorf("%w: a write is stuck", cause))
	}
	return nil, cut, cause
}

// drain waits for the library to notice that the port is gone: the answer may have
// been on its way to it.
func (s *Session) drain(c call) ([]string, Cut, error) {
	s.timer.Reset(s.times.Grace)
	select {
	case r := <-s.results:
		return r.info, s.done(c), refusal(r.err)
	case <-s.timer.C:
		return nil, s.done(c), s.port.Cause()
	}
}

// both joins two errors in one line; the second may be nil.
func both(a, b error) error {
	if b == nil {
		return a
	}
	return fmt.Errorf("%w: %w", a, b)
}

// verb gives a command without its arguments, which may be private.
func verb(cmd string) string {
	if i := strings.IndexAny(cmd, "=?"); i >= 0 {
		return cmd[:i+1]
	}
	return cmd
}

// FirstInt reads the decimal number that s begins with, blanks skipped.
func FirstInt(s string) (int, bool) {
	s = strings.TrimLeft(s, " ")
	n := digitRun([]byte(s))
	v, err := strconv.Atoi(s[:n])
	return v, err == nil
}
