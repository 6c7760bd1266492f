package main

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"
)

// pace says when the next device is unplugged: every so often, or each time so many
// segments went on the air. The zero value is never.
type pace struct {
	every    time.Duration
	segments int
}

func (p *pace) String() string {
	switch {
	case p.segments > 0:
		return strconv.Itoa(p.segments)
	case p.every > 0:
		return p.every.String()
	}
	return "0"
}

// Type is the word for it in the help.
func (p *pace) Type() string { return "pace" }

// Set reads it.
func (p *pace) Set(s string) error {
	*p = pace{}
	n, err := strconv.Atoi(s)
	if err != nil {
		p.every, err = time.ParseDuration(s)
	}
	p.segments = n
	if err != nil || n < 0 || p.every < 0 {
		return invalid("unplug", "is %q: a time such as 30s, or after how many segments, such as 200", s)
	}
	return nil
}

// away waits while a device is unplugged: a part of the pace, and not for long.
func (s *demoSite) away(ctx context.Context, p pace) {
	const longest, counted = 3 * time.Second, 250 * time.Millisecond
	if p.segments == 0 {
		waited(ctx, min(longest, p.every/4))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, counted)
	defer cancel()
	s.aired(ctx, s.bank.Network.Len()+p.segments/2)
}

// demoPlug is a device that can be unplugged.
type demoPlug struct {
	out func()
	in  func() error
}

// plugs lists the devices of a site in the order in which they are unplugged.
func (s *demoSite) plugs(seed uint64) []demoPlug {
	var all []demoPlug
	for _, m := range s.bank.Modems {
		all = append(all, demoPlug{m.Unplug, m.Replug})
	}
	if s.rack != nil {
		all = append(all, demoPlug{s.rack.Unplug, func() error { s.rack.Replug(); return nil }})
	}
	if s.dwg != nil {
		all = append(all, demoPlug{s.dwg.Unplug, func() error { s.dwg.Replug(); return nil }})
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// unplug unplugs one device after the other until ctx ends, and gives how often it
// did. Each is plugged in again.
func (s *demoSite) unplug(ctx context.Context, f *demoFlags) (times int, err error) {
	all := s.plugs(f.seed)
	for s.pause(ctx, f.pace) {
		p := all[times%len(all)]
		times++
		p.out()
		s.away(ctx, f.pace)
		if err := p.in(); err != nil {
			return times, err
		}
	}
	return times, nil
}

// pause waits until the next device is due; false = ctx ended.
func (s *demoSite) pause(ctx context.Context, p pace) bool {
	if p.segments == 0 {
		return waited(ctx, p.every)
	}
	return s.aired(ctx, s.bank.Network.Len()+p.segments)
}

// aired waits until so many segments are on the air; false = ctx ended.
func (s *demoSite) aired(ctx context.Context, n int) bool {
	for {
		changed := s.bank.Network.Changed()
		if s.bank.Network.Len() >= n {
			return ctx.Err() == nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// waited waits for d; false = ctx ended first.
func waited(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
