package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/modem/sim"
)

// dinstarFlags say what a simulated gateway is.
type dinstarFlags struct {
	ports    int
	listen   string
	user     string
	password string
	auth     string
	latency  time.Duration
	jitter   float64
	seed     uint64
	refuse   float64
	lose     float64
	reports  time.Duration
	ledger   string
	push     string
}

func newSimulateDinstar(t terminal) *cobra.Command {
	f := dinstarFlags{}
	cmd := &cobra.Command{
		Use:   "dinstar",
		Short: "A Dinstar gateway with its HTTP JSON API, until interrupted",
		Long: `A Dinstar gateway with its HTTP JSON API, until interrupted. Whatever goes on the air is a line of
JSON in --ledger. Messages to a number of the gateway itself come back as inbound ones. There is no default password:
without --password one is made up and shown. It has the traps of real gateways: a wrong login too often locks you
out until it is started again.`,
		Example: `  fieldpost simulate dinstar --ports 8 --listen 127.0.0.1:8081 --ledger air.jsonl --latency 3s`,
		Args:    exactArgs(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	cmd.Flags().IntVarP(&f.ports, "ports", "p", 8, "how many, 1-32")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8081", "address of its API; port 0 takes a free one")
	cmd.Flags().StringVar(&f.user, "user", "admin", "who logs in")
	cmd.Flags().StringVar(&f.password, "password", "", "the password; by default one is made up and shown")
	cmd.Flags().StringVar(&f.auth, "auth", string(sim.DinstarDigest), "how it asks for the login: digest, basic")
	cmd.Flags().DurationVar(&f.latency, "latency", time.Second, "how long the radio takes for a segment")
	cmd.Flags().Float64Var(&f.jitter, "jitter", 0, "share of the latency that a segment may take more or less, 0 to 1")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	cmd.Flags().Float64Var(&f.refuse, "refuse", 0, "share of messages that the network refuses (FAILED), 0 to 1")
	cmd.Flags().Float64Var(&f.lose, "lose", 0, "share of accepted send_sms whose answer is lost, 0 to 1")
	cmd.Flags().DurationVar(&f.reports, "reports", 2*time.Second, "how long a delivery report takes")
	cmd.Flags().StringVar(&f.ledger, "ledger", "", "file that keeps what went on the air; it is continued")
	cmd.Flags().StringVar(&f.push, "push", "", "URL that events are posted to, such as http://127.0.0.1:8080/hooks/dinstar/PROVIDER/SECRET")
	complete(cmd, "auth", string(sim.DinstarDigest), string(sim.DinstarBasic))
	return cmd
}

// check names the first flag that is out of range.
func (f *dinstarFlags) check() error {
	_, _, listenErr := net.SplitHostPort(f.listen)
	switch {
	case f.ports < 1 || f.ports > 32:
		return invalid("ports", "is %d: between 1 and 32", f.ports)
	case listenErr != nil:
		return invalid("listen", "is %q: write host:port", f.listen)
	case f.user == "" || strings.Contains(f.user, ":"):
		return invalid("user", "is %q: a name without a colon", f.user)
	case f.auth != string(sim.DinstarDigest) && f.auth != string(sim.DinstarBasic):
		return invalid("auth", "is %q: one of digest, basic", f.auth)
	case f.latency < 0 || f.latency > maxLatency:
		return invalid("latency", "is %s: between 0s and %s", f.latency, maxLatency)
	case f.reports < 0:
		return invalid("reports", "is %s: a report takes 0s or more", f.reports)
	}
	return errors.Join(f.checkShares(), f.checkPush())
}

func (f *dinstarFlags) checkShares() error {
	for _, s := range []struct {
		flag  string
		value float64
	}{{"jitter", f.jitter}, {"refuse", f.refuse}, {"lose", f.lose}} {
		if !share(s.value) {
			return invalid(s.flag, "is %g: a share, between 0 and 1", s.value)
		}
	}
	return nil
}

func (f *dinstarFlags) checkPush() error {
	u, err := url.Parse(f.push)
	if f.push != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return invalid("push", "is %q: write http://host:port/path", f.push)
	}
	return nil
}

func (f *dinstarFlags) run(ctx context.Context, t terminal) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	made := f.password == ""
	if made {
		f.password = rand.Text()
	}
	var ledger *ledgerFile
	var before []sim.Entry
	if f.ledger != "" {
		if ledger, before, err = openLedger(f.ledger); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, ledger.close()) }()
	}
	network := f.network(ledger)
	defer func() { err = errors.Join(err, network.Close()) }()
	network.Restore(before)
	box, err := sim.OpenDinstar(f.options(network))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	if f.refuse > 0 {
		box.Refuse(sim.DinstarRefusal{Port: -1, Chance: f.refuse})
	}
	f.tell(t, box, made)
	<-ctx.Done()
	fmt.Fprintf(t.out, "on the air: %s, %s complete\n", plural(network.Len(), "segment"), plural(len(network.Messages()), "message"))
	return nil
}

func (f *dinstarFlags) network(ledger *ledgerFile) *sim.Network {
	return sim.NewNetwork(sim.NetworkOptions{
		Seed:    f.seed,
		Reports: sim.Reports{Delay: f.reports},
		USSD:    map[string]sim.USSD{"*100#": {Text: "Balance: 42.00"}},
		OnEntry: func(e sim.Entry) {
			if ledger != nil {
				ledger.write(e)
			}
		},
	})
}

func (f *dinstarFlags) options(network *sim.Network) sim.DinstarOptions {
	o := sim.DinstarOptions{
		Network: network, Listen: f.listen, Ports: f.ports, User: f.user, Password: f.password, Auth: sim.DinstarAuth(f.auth),
		Latency: f.latency, Jitter: f.jitter, Push: f.push,
	}
	if f.lose > 0 {
		o.Faults = append(o.Faults, sim.DinstarFault{Path: "send_sms", Chance: f.lose, Do: sim.AcceptAndDrop})
	}
	return o
}

// tell shows what there is to drive. A password that its user chose is not repeated.
func (f *dinstarFlags) tell(t terminal, box *sim.Dinstar, made bool) {
	for port := range box.Ports() {
		fmt.Fprintf(t.out, "port %d  iccid %s  number %s\n", port, box.Card(port).ICCID(), box.Card(port).Number())
	}
	login := fmt.Sprintf("%s  sn %s  %s login  user %s", box.URL(), box.Serial(), f.auth, f.user)
	if made {
		login += "  password " + f.password
	}
	fmt.Fprintln(t.out, login)
	fmt.Fprintln(t.out, "ready; interrupt to end")
}
