package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/modem/sim"
)

// dwgLogin is the longest user or password of a login.
const dwgLogin = 16

// dwgFlags say what a simulated gateway is, and whom it dials.
type dwgFlags struct {
	connect  string
	ports    int
	user     string
	password string
	latency  time.Duration
	seed     uint64
	refuse   float64
	lose     float64
	ledger   string
}

func newSimulateDWG(t terminal) *cobra.Command {
	f := dwgFlags{}
	cmd := &cobra.Command{
		Use:   "dwg",
		Short: "A Dinstar gateway that dials in with its binary API, until interrupted",
		Long: `A Dinstar gateway that dials --connect and speaks the DWG SMS API v2.1, until interrupted. It dials again
when the connection is lost. Whatever goes on the air is a line of JSON in --ledger. Messages to a number of the
gateway itself come back as inbound ones. There is no default password: without --password one is made up and shown.`,
		Example: `  fieldpost simulate dwg --connect 127.0.0.1:10003 --password s3cret --ports 8 --ledger air.jsonl`,
		Args:    exactArgs(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	cmd.Flags().StringVar(&f.connect, "connect", "", "host:port to dial")
	cmd.Flags().IntVarP(&f.ports, "ports", "p", 8, "how many, 1-32")
	cmd.Flags().StringVar(&f.user, "user", "admin", "who logs in")
	cmd.Flags().StringVar(&f.password, "password", "", "the password, at most 16 characters; by default one is made up and shown")
	cmd.Flags().DurationVar(&f.latency, "latency", time.Second, "how long the radio takes for a segment")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	cmd.Flags().Float64Var(&f.refuse, "refuse", 0, "share of messages that the network refuses (result 1), 0 to 1")
	cmd.Flags().Float64Var(&f.lose, "lose", 0, "share of results that are lost after the message went out, 0 to 1")
	cmd.Flags().StringVar(&f.ledger, "ledger", "", "file that keeps what went on the air; it is continued")
	return cmd
}

// check names the first flag that is out of range.
func (f *dwgFlags) check() error {
	_, _, err := net.SplitHostPort(f.connect)
	switch {
	case err != nil:
		return invalid("connect", "is %q: write host:port", f.connect)
	case f.ports < 1 || f.ports > 32:
		return invalid("ports", "is %d: between 1 and 32", f.ports)
	case f.user == "" || len(f.user) > dwgLogin:
		return invalid("user", "is %q: 1 to %d characters", f.user, dwgLogin)
	case len(f.password) > dwgLogin:
		return invalid("password", "has %d characters: at most %d", len(f.password), dwgLogin)
	case f.latency < 0 || f.latency > maxLatency:
		return invalid("latency", "is %s: between 0s and %s", f.latency, maxLatency)
	case !share(f.refuse):
		return invalid("refuse", "is %g: a share, between 0 and 1", f.refuse)
	case !share(f.lose):
		return invalid("lose", "is %g: a share, between 0 and 1", f.lose)
	}
	return nil
}

func (f *dwgFlags) run(ctx context.Context, t terminal) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	made := f.password == ""
	if made {
		f.password = rand.Text()[:dwgLogin]
	}
	var ledger *ledgerFile
	var before []sim.Entry
	if f.ledger != "" {
		if ledger, before, err = openLedger(f.ledger); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ledger.close()) }()
	}
	network := sim.NewNetwork(sim.NetworkOptions{
		Seed: f.seed,
		USSD: map[string]sim.USSD{"*100#": {Text: "Balance: 42.00"}},
		OnEntry: func(e sim.Entry) {
			if ledger != nil {
				ledger.write(e)
			}
		},
	})
	defer func() { err = errors.Join(err, network.Close()) }()
	network.Restore(before)
	box, err := sim.NewDWG(f.options(network))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	f.tell(t, box, made)
	<-ctx.Done()
	fmt.Fprintf(t.out, "on the air: %s, %s complete\n", plural(network.Len(), "segment"), plural(len(network.Messages()), "message"))
	return nil
}

func (f *dwgFlags) options(network *sim.Network) sim.DWGOptions {
	o := sim.DWGOptions{
		Network: network, Address: f.connect, Ports: f.ports, User: f.user, Password: f.password, Latency: f.latency,
	}
	if f.refuse > 0 {
		o.Faults = append(o.Faults, sim.DWGFault{Chance: f.refuse, Do: sim.DWGResult, Code: 1})
	}
	if f.lose > 0 {
		o.Faults = append(o.Faults, sim.DWGFault{Chance: f.lose, Do: sim.DWGLose})
	}
	return o
}

// tell shows what there is to drive. A password that its user chose is not repeated.
func (f *dwgFlags) tell(t terminal, box *sim.DWG, made bool) {
	for port := range f.ports {
		fmt.Fprintf(t.out, "port %d  iccid %s  number %s\n", port, box.Card(port).ICCID(), box.Card(port).Number())
	}
	login := fmt.Sprintf("dials %s  user %s", f.connect, f.user)
	if made {
		login += "  password " + f.password
	}
	fmt.Fprintln(t.out, login)
	fmt.Fprintln(t.out, "ready; interrupt to end")
}
