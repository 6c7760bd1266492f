package main

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"fieldpost/modem/sim"
)

// demoLate is how late what is late comes.
const demoLate = 500 * time.Millisecond

// modemFaults are the faults of a modem, each as likely as the others. A hanging one is
// noticed by its limit alone: the port is out for minutes.
func modemFaults(hangs bool) []sim.Fault {
	all := []sim.Fault{
		{Do: sim.Refuse}, {Do: sim.RefuseSoon}, {Do: sim.Noise}, {Do: sim.Interleave},
		{Do: sim.Late, Delay: demoLate}, {Do: sim.LateAside, Delay: demoLate}, {Do: sim.LateRefusal, Delay: demoLate},
		{Do: sim.Stall, Delay: demoLate},
	}
	if hangs {
		all = append(all, sim.Fault{Do: sim.NoPrompt}, sim.Fault{Do: sim.Silence}, sim.Fault{Do: sim.LoseAnswer}, sim.Fault{Do: sim.Restart})
	}
	return all
}

// rackFaults are those of a Dinstar gateway over HTTP.
func rackFaults() []sim.DinstarFault {
	return []sim.DinstarFault{
		{Do: sim.DropBefore}, {Do: sim.AcceptAndDrop}, {Do: sim.AnswerCode, Code: 500}, {Do: sim.AnswerStatus}, {Do: sim.SpuriousLogin},
		{Do: sim.StaleNonce}, {Do: sim.AnswerHTML}, {Do: sim.HalfJSON}, {Do: sim.CutBody}, {Do: sim.WrongTypes}, {Do: sim.HugeBody},
		{Do: sim.SlowBody, Delay: demoLate}, {Do: sim.LateAnswer, Delay: demoLate},
	}
}

// dwgFaults are those of a Dinstar gateway that dials in.
func dwgFaults(hangs bool) []sim.DWGFault {
	all := []sim.DWGFault{
		{Do: sim.DWGResult, Code: 1}, {Do: sim.DWGResult, Code: 4}, {Do: sim.DWGNack}, {Do: sim.DWGDrop}, {Do: sim.DWGSent},
		{Do: sim.DWGTwice}, {Do: sim.DWGPartial}, {Do: sim.DWGLate, Delay: demoLate}, {Do: sim.DWGStall, Delay: demoLate},
	}
	if hangs {
		all = append(all, sim.DWGFault{Do: sim.DWGSilence}, sim.DWGFault{Do: sim.DWGLose})
	}
	return all
}

// harm gives each device its faults: one of them meets a share of the submissions.
func (f *demoFlags) harm(s *demoSite) {
	if f.faults == 0 {
		return
	}
	share := float64(f.faults)
	modems := modemFaults(!f.noHangs)
	for i := range modems {
		modems[i].Chance = share / float64(len(modems))
	}
	for _, m := range s.bank.Modems {
		m.Inject(modems...)
	}
	if s.rack != nil {
		rack := rackFaults()
		each := share / float64(len(rack)+1)
		for i := range rack {
			rack[i].Path, rack[i].Chance = "send_sms", each
		}
		s.rack.Inject(rack...)
		s.rack.Refuse(sim.DinstarRefusal{Port: -1, Chance: each})
	}
	if s.dwg != nil {
		dwg := dwgFaults(!f.noHangs)
		for i := range dwg {
			dwg[i].Chance = share / float64(len(dwg))
		}
		s.dwg.Inject(dwg...)
	}
}

// percent is a share, written as 2% or 0.02.
type percent float64

func (p *percent) String() string { return strconv.FormatFloat(100*float64(*p), 'g', -1, 64) + "%" }

// Type is the word for it in the help.
func (p *percent) Type() string { return "share" }

// Set reads it.
func (p *percent) Set(s string) error {
	number, whole := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if whole {
		v /= 100
	}
	if err != nil || !share(v) {
		return invalid("faults", "is %q: a share such as 2%% or 0.02", s)
	}
	*p = percent(v)
	return nil
}

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
