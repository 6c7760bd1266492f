package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/modem/sim"
)

// simulateFlags scale a bank of simulated modems.
type simulateFlags struct {
	modems  int
	dir     string
	ledger  string
	vendor  string
	pin     string
	latency time.Duration
	jitter  float64
	seed    uint64
	refuse  float64
	lose    float64
	reports time.Duration
	hang    int
	garble  float64
}

func newSimulate(t terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Hardware that is not there, for fieldpost or any other program to drive",
		Args:  exactArgs(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSimulateModems(t), newSimulateDinstar(t), newSimulateDWG(t))
	return cmd
}

func newSimulateModems(t terminal) *cobra.Command {
	f := simulateFlags{}
	cmd := &cobra.Command{
		Use:   "modems",
		Short: "A bank of GSM modems on real ptys, until interrupted",
		Long: `A bank of GSM modems on real ptys, until interrupted. Each is a link in --dir: port0, port1, and
so on. Whatever goes on the air is a line of JSON in --ledger. Messages to a number of the bank itself come back as
inbound ones.`,
		Example: `  fieldpost simulate modems --modems 4 --dir ./modems --ledger air.jsonl --latency 3s`,
		Args:    exactArgs(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	cmd.Flags().IntVarP(&f.modems, "modems", "m", 1, "how many, 1-32")
	cmd.Flags().StringVar(&f.dir, "dir", "", "folder of the links; by default a temporary one")
	cmd.Flags().StringVar(&f.ledger, "ledger", "", "file that keeps what went on the air; it is continued")
	cmd.Flags().StringVar(&f.vendor, "vendor", string(sim.Generic), "whose modem: "+strings.Join(vendorWords(), ", "))
	cmd.Flags().StringVar(&f.pin, "pin", "", "PIN that each SIM asks for")
	cmd.Flags().DurationVar(&f.latency, "latency", time.Second, "how long the radio takes for a segment")
	cmd.Flags().Float64Var(&f.jitter, "jitter", 0, "share of the latency that a segment may take more or less, 0 to 1")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	cmd.Flags().Float64Var(&f.refuse, "refuse", 0, "share of sends that the network refuses (+CMS ERROR: 38), 0 to 1")
	cmd.Flags().Float64Var(&f.lose, "lose", 0, "share of answers that are lost after the message went out, 0 to 1")
	cmd.Flags().IntVar(&f.hang, "hang", -1, "port whose modem hangs for good after its second segment; -1 = none")
	cmd.Flags().Float64Var(&f.garble, "garble", 0, "share of the bytes from the modems that the wire changes, loses or adds, 0 to 1")
	complete(cmd, "vendor", vendorWords()...)
	cmd.Flags().DurationVar(&f.reports, "reports", 2*time.Second, "how long a delivery report takes")
	return cmd
}

// check names the first flag that is out of range.
func (f *simulateFlags) check() error {
	switch {
	case f.modems < 1 || f.modems > 32:
		return invalid("modems", "is %d: between 1 and 32", f.modems)
	case !slices.Contains(sim.Vendors(), sim.Vendor(f.vendor)):
		return invalid("vendor", "is %q: one of %s", f.vendor, strings.Join(vendorWords(), ", "))
	case f.latency < 0 || f.latency > maxLatency:
		return invalid("latency", "is %s: between 0s and %s", f.latency, maxLatency)
	case f.hang < -1 || f.hang >= f.modems:
		return invalid("hang", "is %d: a port of 0 to %d, or -1", f.hang, f.modems-1)
	case f.reports < 0:
		return invalid("reports", "is %s: a report takes 0s or more", f.reports)
	case !share(f.refuse):
		return invalid("refuse", "is %g: a share, between 0 and 1", f.refuse)
	case !share(f.garble):
		return invalid("garble", "is %g: a share, between 0 and 1", f.garble)
	case !share(f.lose):
		return invalid("lose", "is %g: a share, between 0 and 1", f.lose)
	}
	return nil
}

func share(f float64) bool { return f >= 0 && f <= 1 }

func vendorWords() []string {
	var words []string
	for _, v := range sim.Vendors() {
		words = append(words, string(v))
	}
	return words
}

func (f *simulateFlags) run(ctx context.Context, t terminal) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	air, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, air.close()) }()
	for _, m := range air.bank.Modems {
		fmt.Fprintf(t.out, "%s  imei %s  iccid %s  number %s\n", m.Device(), m.IMEI(), m.Card().ICCID(), m.Card().Number())
	}
	fmt.Fprintln(t.out, "ready; interrupt to end")
	<-ctx.Done()
	fmt.Fprintf(t.out, "on the air: %s, %s complete\n",
		plural(air.bank.Network.Len(), "segment"), plural(len(air.bank.Network.Messages()), "message"))
	return nil
}

// air is a bank with its ledger on disk.
type air struct {
	bank   *sim.Bank
	ledger *ledgerFile // nil = none
}

// open makes the bank. A ledger that is there already is what went on the air
// before: the network begins with it.
func (f *simulateFlags) open() (*air, error) {
	if f.dir != "" {
		if err := os.MkdirAll(f.dir, 0o700); err != nil {
			return nil, err
		}
	}
	a := &air{}
	var before []sim.Entry
	if f.ledger != "" {
		var err error
		if a.ledger, before, err = openLedger(f.ledger); err != nil {
			return nil, err
		}
	}
	bank, err := sim.NewBank(sim.BankOptions{
		Modems: f.modems, Dir: f.dir, Latency: f.latency, Jitter: f.jitter, Vendors: []sim.Vendor{sim.Vendor(f.vendor)},
		Card: sim.CardOptions{PIN: f.pin}, Faults: f.faults(), Line: sim.Line{Garble: f.garble},
		Network: sim.NetworkOptions{
			Seed:    f.seed,
			Reports: sim.Reports{Delay: f.reports},
			USSD:    map[string]sim.USSD{"*100#": {Text: "Balance: 42.00"}},
			OnEntry: func(e sim.Entry) {
				if a.ledger != nil {
					a.ledger.write(e)
				}
			},
		},
	})
	if err != nil {
		return nil, errors.Join(err, a.closeLedger())
	}
	a.bank = bank
	bank.Network.Restore(before)
	if f.hang >= 0 {
		bank.Modems[f.hang].Inject(sim.Fault{At: 2, Do: sim.HangAfter})
	}
	return a, nil
}

func (f *simulateFlags) faults() []sim.Fault {
	var all []sim.Fault
	if f.refuse > 0 {
		all = append(all, sim.Fault{Chance: f.refuse, Do: sim.Refuse})
	}
	if f.lose > 0 {
		all = append(all, sim.Fault{Chance: f.lose, Do: sim.LoseAnswer})
	}
	return all
}

func (a *air) closeLedger() error {
	if a.ledger == nil {
		return nil
	}
	return a.ledger.close()
}

func (a *air) close() error { return errors.Join(a.bank.Close(), a.closeLedger()) }
