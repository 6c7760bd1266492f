package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/spool"
)

// The states of the box.
const (
	siteReady    = "ready"
	siteDegraded = "degraded"
	siteDraining = "draining"
)

// Site tells how the whole box stands. Ready means that it can send: a channel
// is ready, and what comes in can be stored.
func (a *App) Site() client.Site {
	s := client.Site{
		Site: a.cfg.Site.ID, Version: a.version, State: siteReady, Started: a.started.UTC(),
		Clock: client.Clock{Now: a.now().UTC(), Zone: a.cfg.Site.Zone.String(), State: a.clock()},
		Disk:  a.disk(),
	}
	a.backlog(&s)
	a.countChannels(&s)
	if err := a.spool.Room(); err != nil {
		s.Reasons = append(s.Reasons, err.Error())
	}
	if s.Clock.State == clockUntrusted {
		s.Reasons = append(s.Reasons, "the clock is wrong: schedules, quota windows and expiry wait until it is set")
	}
	switch {
	case a.draining.Load():
		s.State = siteDraining
		s.Reasons = append(s.Reasons, "the daemon is stopping")
	case len(s.Reasons) > 0:
		s.State = siteDegraded
	}
	return s
}

func (a *App) backlog(s *client.Site) {
	all, err := a.spool.AllCounters()
	if err != nil {
		s.Reasons = append(s.Reasons, "the spool cannot be read: "+err.Error())
		return
	}
	var sum gateway.Counters
	for _, c := range all {
		sum.Add(&c)
	}
	s.Backlog.Waiting = sum.NotProcessed()
	s.Backlog.Unknown = sum.ByStatus[gateway.StatusUnknown]
	s.Backlog.Events, _ = a.spool.Tail()
	if !sum.Balanced() {
		s.Reasons = append(s.Reasons, "the counters do not balance: accepted is not the sum of all states")
	}
}

// countChannels counts the ready channels; when none can send it says what each one
// waits for.
func (a *App) countChannels(s *client.Site) {
	var why []string
	for _, c := range a.bank.Channels() {
		s.Channels.Total++
		if c.State != gateway.ChannelReady {
			why = append(why, fmt.Sprintf("channel %s is %s: %s", c.ID, c.State, c.Reason))
			continue
		}
		s.Channels.Ready++
		if held := a.sims.Held(c.SIMKey()); held != "" {
			why = append(why, fmt.Sprintf("channel %s is ready, and its SIM is held: %s", c.ID, held))
		}
	}
	switch s.Channels.Total {
	case 0:
		s.Reasons = append(s.Reasons, "no provider has a channel: name a modem in the configuration (fieldpost detect)")
	case len(why):
		s.Reasons = append(s.Reasons, why...)
	}
}

// disk measures the disk that the spool lies on.
func (a *App) disk() client.Disk {
	var d client.Disk
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(a.cfg.Storage.Path), &fs); err == nil {
		d.Free = uint64(fs.Bavail) * uint64(fs.Bsize)
		d.Total = uint64(fs.Blocks) * uint64(fs.Bsize)
	}
	d.Spool = uint64(a.spool.Stats().FileSize)
	return d
}

// The trust in the clock.
const (
	clockTrusted   = "trusted"   // set by a time server since the box came up
	clockHoldover  = "holdover"  // plausible, but nobody has confirmed it
	clockUntrusted = "untrusted" // before this program was written
)

// clockFloor is a time that is surely past.
var clockFloor = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// clock judges the wall clock. A box without a battery wakes up in 1970.
func (a *App) clock() string {
	if a.now().Before(clockFloor) {
		return clockUntrusted
	}
	var t unix.Timex // modes 0: only look (adjtimex(2))
	if state, err := unix.Adjtimex(&t); err != nil || state == unix.TIME_ERROR {
		return clockHoldover
	}
	return clockTrusted
}

// clockBelieved says whether schedules and expiry may go by the clock.
func (a *App) clockBelieved() bool { return !a.now().Before(clockFloor) }

// alive asks the two that everything depends on for a sign of life.
func (a *App) alive(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := a.spool.Ping(ctx); err != nil {
		return fmt.Errorf("the spool's writer does not answer: %w", err)
	}
	// A turn of the dialer holds its lock from end to end, and a loop that ended ends
	// the daemon: whoever gets an answer has seen a turn end.
	turned := make(chan struct{})
	go func() {
		defer close(turned)
		a.dialer.Status("")
	}()
	select {
	case <-turned:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the dialer's loop does not turn: %w", context.Cause(ctx))
	}
}

// StorageStats gives what the spool has written so far.
func (a *App) StorageStats() spool.Stats { return a.spool.Stats() }
