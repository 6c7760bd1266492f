package serial

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
)

// PortInfo is a serial port as the kernel describes it.
type PortInfo = at.PortInfo

// Ports gives the serial ports of this machine that have hardware behind them. It
// opens none.
func Ports() ([]PortInfo, error) { return at.Finder{}.Find() }

// brisk are the times for looking: a port without a modem costs some seconds.
var brisk = Times{
	Command: 3 * time.Second, Probe: 700 * time.Millisecond,
	Quiet: 100 * time.Millisecond, Restless: 500 * time.Millisecond, Grace: 500 * time.Millisecond,
}

// Found is what answers on one port.
type Found struct {
	Port         PortInfo
	Answers      bool   // a modem answers here
	Best         bool   // of the ports of one modem, the one to configure
	Problem      string // why nothing answers, or what is wrong with the SIM; "" = nothing
	Conflict     bool   // another program holds the port: Problem names it
	Model        string
	IMEI         string
	ICCID        string
	SIM          string // READY, SIM PIN, ...; or a code of TS 27.007 §9.2
	Operator     string
	Registration gateway.Registration
	Signal       int // 0-31, gateway.SignalUnknown
}

// Detect asks all given ports at once what is behind them, or all ports of the
// machine if none is given. It changes nothing that a modem keeps, enters no PIN and
// takes no message. The order is that of the ports.
func Detect(ctx context.Context, ports ...PortInfo) ([]Found, error) {
	if len(ports) == 0 {
		all, err := Ports()
		if err != nil {
			return nil, gateway.Errorf(gateway.KindUnavailable, "looking for ports: %w", err)
		}
		ports = all
	}
	return detect(ctx, at.Ports{}, brisk, ports), ctx.Err()
}

func detect(ctx context.Context, open Opener, times Times, ports []PortInfo) []Found {
	found := make([]Found, len(ports))
	var all sync.WaitGroup
	for i, p := range ports {
		all.Go(func() { found[i] = probe(ctx, open, times, p) })
	}
	all.Wait()
	choose(found)
	return found
}

// probe asks one port, for lookLimit at most.
func probe(ctx context.Context, open Opener, times Times, p PortInfo) Found {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	f := Found{Port: p, Signal: gateway.SignalUnknown, Registration: gateway.RegUnknown}
	conn, err := open.Open(p.Path, 0)
	if err != nil {
		f.Problem, f.Conflict = err.Error(), gateway.KindOf(err) == gateway.KindConflict
		return f
	}
	d, err := New(Options{Port: gateway.Port{Device: p.Path}, Times: times})
	if err != nil {
		conn.Close()
		f.Problem = err.Error()
		return f
	}
	r := newRun(d, nobody{}, p.Path, conn)
	defer r.close()
	if err := r.s.Init(ctx); err != nil {
		f.Problem = "no modem answers"
		return f
	}
	f.Answers = true
	if err := r.tell(ctx, &f); err != nil {
		f.Problem = err.Error()
	}
	return f
}

// tell asks a modem that answers for everything that a person wants to know.
func (r *run) tell(ctx context.Context, f *Found) error {
	if err := r.identify(ctx); err != nil {
		return err
	}
	c := r.channel()
	f.Model, f.IMEI = c.Model, c.IMEI
	var err error
	if f.SIM, err = r.simState(ctx); err != nil {
		return err
	}
	if f.ICCID, err = r.iccid(ctx); err != nil {
		return err
	}
	f.Problem, _ = simReason(f.SIM)
	if f.Registration, err = r.registration(ctx); err != nil {
		return err
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	c = r.channel()
	f.Operator, f.Signal = c.Operator, c.Signal
	return nil
}

// device is a modem among those that answer. Cheap ones share an IMEI; the place on
// the USB tells them apart.
type device struct{ imei, usb string }

// choose marks one port of each modem.
func choose(found []Found) {
	for i := range found {
		found[i].Best = false
	}
	for _, ports := range groups(found) {
		found[ports[0]].Best = true
	}
}

// groups gives the ports of each modem that answers, the one to use first. The first that
// answers is the one for commands; Huawei's first carries the data, and its last the news.
func groups(found []Found) map[device][]int {
	all := map[device][]int{}
	for i := range found {
		if f := &found[i]; f.Answers && f.IMEI != "" {
			d := device{f.IMEI, f.Port.USBPath}
			all[d] = append(all[d], i)
		}
	}
	for _, ports := range all {
		slices.SortStableFunc(ports, func(i, j int) int {
			a, b := &found[i], &found[j]
			if strings.Contains(strings.ToLower(a.Model), "huawei") {
				a, b = b, a
			}
			return a.Port.Interface - b.Port.Interface
		})
	}
	return all
}

// byModem gives the paths of each modem's ports, the one to use first.
func byModem(found []Found) map[device][]string {
	all := map[device][]string{}
	for d, ports := range groups(found) {
		for _, i := range ports {
			all[d] = append(all[d], found[i].Port.Name())
		}
	}
	return all
}
