package at

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The rungs of the way back to a modem that does not answer, from the gentlest up. The
// last two take it off the network.
const (
	RungAT      = "AT"         // what it still says is let pass, then it is called
	RungEscape  = "ESC"        // it may wait for a message
	RungInit    = "initialise" // it may have lost its settings
	RungRadio   = "radio"      // its radio is switched off and on: CFUN 4 and 1
	RungRestart = "restart"    // CFUN 1,1: the port is closed, and the device comes back as a new one
)

// Step is one rung that was tried.
type Step struct {
	Rung string
	Took time.Duration
	Err  error // why it did not help; nil = the modem answers again
}

// String gives the step in words.
func (s Step) String() string {
	took := s.Took.Round(10 * time.Millisecond)
	if s.Err == nil {
		return fmt.Sprintf("%s: it answers again (%s)", s.Rung, took)
	}
	return fmt.Sprintf("%s: %v (%s)", s.Rung, s.Err, took)
}

// Revive tries to wake a modem that does not answer, rung by rung, and says what it
// tried. gentle leaves out the rungs that take the modem off the network. Where nothing
// helps, the port is closed and the error says so. A send that is on its way keeps its
// turn until its outcome is known: no rung comes before that.
func (s *Session) Revive(ctx context.Context, gentle bool) ([]Step, error) {
	if err := s.turn.take(ctx, true, s.port.Done()); err != nil {
		return nil, s.away("", err)
	}
	defer s.turn.give()
	rungs := []rung{{RungAT, s.call}, {RungEscape, s.unstick}, {RungInit, s.init}}
	if !gentle {
		rungs = append(rungs, rung{RungRadio, s.cycle})
	}
	var steps []Step
	for _, r := range rungs {
		step := r.try(ctx)
		steps = append(steps, step)
		if step.Err == nil {
			s.silent = false
			return steps, nil
		}
		if ctx.Err() != nil || s.port.Cause() != nil {
			return steps, s.away("", step.Err)
		}
	}
	if gentle {
		s.port.CloseWith(ErrSilent)
		return steps, s.away("", ErrSilent)
	}
	steps = append(steps, rung{RungRestart, s.restart}.try(ctx))
	s.port.CloseWith(fmt.Errorf("%w: restarted", ErrSilent))
	return steps, s.away("", ErrSilent)
}

// Radio switches the radio of a modem that answers, and yet does not send, off and on.
func (s *Session) Radio(ctx context.Context) (Step, error) {
	if err := s.turn.take(ctx, true, s.port.Done()); err != nil {
		return Step{}, s.away("+CFUN", err)
	}
	defer s.turn.give()
	step := rung{RungRadio, s.cycle}.try(ctx)
	if step.Err != nil {
		s.silent = true
		return step, s.away("+CFUN", both(ErrSilent, step.Err))
	}
	return step, nil
}

// rung is one means to wake a modem.
type rung struct {
	name string
	do   func(context.Context) error
}

func (r rung) try(ctx context.Context) Step {
	begin := time.Now()
	err := r.do(ctx)
	return Step{Rung: r.name, Took: time.Since(begin), Err: err}
}

// call lets pass what the modem still says, and calls it.
func (s *Session) call(ctx context.Context) error {
	s.quiet(ctx)
	if err := s.ping(ctx); err != nil {
		return err
	}
	return s.inStep(ctx)
}

// unstick takes the modem back from a message that it may wait for.
func (s *Session) unstick(ctx context.Context) error {
	if err := s.escape(ctx); err != nil {
		return err
	}
	return s.inStep(ctx)
}

var errOutOfStep = errors.New("it does not name its message format")

func (s *Session) inStep(ctx context.Context) error {
	if !s.probe(ctx) {
		return errOutOfStep
	}
	return nil
}

// cycle switches the radio off and on (TS 27.007 §8.2). A modem that does not know 4
// has 0.
func (s *Session) cycle(ctx context.Context) error {
	_, _, err := s.run(ctx, call{cmd: "+CFUN=4"}, s.times.of("+CFUN"), 0)
	if RefusalOf(err) != nil {
		_, _, err = s.run(ctx, call{cmd: "+CFUN=0"}, s.times.of("+CFUN"), 0)
	}
	if err != nil {
		return err
	}
	if _, _, err = s.run(ctx, call{cmd: "+CFUN=1"}, s.times.of("+CFUN"), 0); err != nil {
		return err
	}
	return s.init(ctx)
}

var errRestarted = errors.New("the port is closed, and the modem is expected back")

// restart starts the modem again. That it does not answer is no surprise.
func (s *Session) restart(ctx context.Context) error {
	if _, _, err := s.run(ctx, call{cmd: "+CFUN=1,1"}, s.times.of("+CFUN"), 0); err != nil {
		return err
	}
	return errRestarted
}
