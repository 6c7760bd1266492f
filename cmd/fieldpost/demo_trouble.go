package main

import (
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

// harm gives each device its faults: one of them meets a share of the submissions. As
// many delivery reports are lost, and as many come two times.
func (f *demoFlags) harm(s *demoSite) {
	if f.faults == 0 {
		return
	}
	share := float64(f.faults)
	s.bank.Network.SetReports(sim.Reports{Delay: f.reportDelay(), Loss: share, Twice: share})
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
		s.dwg.DeliverTwice()
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
