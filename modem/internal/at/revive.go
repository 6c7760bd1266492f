package at

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	syncTries = 2 // probes before a modem counts as silent
	pings     = 3 // of the first rung
)

// Init brings the modem into the state that the session needs: echo off, words for
// results, numbers for errors, PDU mode.
func (s *Session) Init(ctx context.Context) error {
	if err := s.turn.take(ctx, true, s.port.Done()); err != nil {
		return s.away("", err)
	}
	defer s.turn.give()
	if err := s.init(ctx); err != nil {
		s.silent = true
		return s.away("", both(ErrSilent, err))
	}
	s.silent = false
	return nil
}

func (s *Session) init(ctx context.Context) error {
	s.link.Listen()
	if err := s.escape(ctx); err != nil {
		return err
	}
	if err := s.ping(ctx); err != nil {
		return err
	}
	for _, cmd := range initCommands {
		if _, _, err := s.run(ctx, call{cmd: cmd}, s.times.Probe, 0); err != nil {
			return fmt.Errorf("AT%s: %w", cmd, err)
		}
	}
	s.link.Listen()
	if !s.probe(ctx) {
		return errors.New("it does not stay in PDU mode")
	}
	s.link.Settle()
	return nil
}

// ping waits for the OK to a bare AT.
func (s *Session) ping(ctx context.Context) error {
	var err error
	for range pings {
		if _, _, err = s.run(ctx, call{}, s.times.Probe, 0); err == nil {
			return nil
		}
		if ctx.Err() != nil || s.port.Cause() != nil {
			return err
		}
		s.quiet(ctx)
	}
	return err
}

// settle brings modem and session back in step after a command without an answer
// (A4): quiet, then a probe whose answer nothing else can be. Where it fails, the
// session is silent until Revive.
func (s *Session) settle(escape bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), syncTries*(s.times.Restless+s.times.Probe))
	defer cancel()
	for range syncTries {
		if s.port.Cause() != nil {
			return s.port.Cause()
		}
		if escape { // the modem may still wait for the payload (TS 27.005 §3.5.1)
			if err := s.escape(ctx); err != nil {
				return err
			}
		}
		s.quiet(ctx)
		if s.probe(ctx) {
			return nil
		}
	}
	s.silent = true
	s.trace.note("silent")
	return ErrSilent
}

// probe asks for the message format: nothing but its own answer says +CMGF: 0.
func (s *Session) probe(ctx context.Context) bool {
	info, _, err := s.run(ctx, call{cmd: "+CMGF?"}, s.times.Probe, 0)
	return err == nil && len(info) == 1 && info[0] == "+CMGF: 0"
}

func (s *Session) escape(ctx context.Context) error {
	if _, err := s.link.Write([]byte{esc, '\r'}); err != nil {
		return err
	}
	s.quiet(ctx)
	return nil
}

// quiet waits until nothing was heard for Times.Quiet, at most Times.Restless long.
func (s *Session) quiet(ctx context.Context) {
	t := time.NewTicker(s.times.Quiet)
	defer t.Stop()
	end := time.NewTimer(s.times.Restless)
	defer end.Stop()
	for heard := s.link.Heard(); ; {
		select {
		case <-t.C:
			now := s.link.Heard()
			if now == heard {
				return
			}
			heard = now
		case <-end.C:
			return
		case <-ctx.Done():
			return
		case <-s.port.Done():
			return
		}
	}
}
