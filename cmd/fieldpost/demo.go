package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"fieldpost/gateway/app"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
)

// demoName is the demo's dialer, and the name of its base.
const demoName = "demo"

// maxLatency bounds how long a simulated radio takes: longer than any real one.
const maxLatency = 10 * time.Minute

// maxInbound bounds the received messages of a demo.
const maxInbound = 100_000

// demoFlags scale the demo.
type demoFlags struct {
	modems  int
	dinstar int // ports of a gateway over HTTP
	dwg     int // ports of one that dials in
	rows    int
	inbound int
	faults  percent
	noHangs bool
	pace    pace // of unplugging
	latency time.Duration
	seed    uint64
	listen  string
	dir     string
	exit    bool
	verbose bool
}

func newDemo(t terminal) *cobra.Command {
	f := demoFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "All of fieldpost on simulated modems, judged by what went on the air",
		Long: `Start a bank of simulated modems on real serial lines and the daemon in one process, load a
sample base, and show it at work. In the end what went on the air is held against the spool's counters, row by
row; then it goes on serving the API until interrupted.

Two Dinstar gateways can stand beside the modems, each with a dialer of its own and its share of the base: one over
HTTP (--dinstar), one that dials in (--dwg). With --faults, --unplug and --inbound the hardware does what it does in
branch offices, and the verdict is the same: each row is once on the air, or in doubt and at most once; and each received message
once in the spool.

With --dir everything is kept there: killed in any way and started again on the same folder, the demo goes on
where it was.`,
		Example: `  fieldpost demo
  fieldpost demo --exit --rows 20000 --modems 32 --latency 20ms
  fieldpost demo --exit --rows 10000 --dinstar 8 --dwg 8 --faults 2% --unplug 30s --inbound 500 --latency 1s`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	cmd.Flags().IntVarP(&f.modems, "modems", "m", 8, "simulated modems, 1-32")
	cmd.Flags().IntVar(&f.dinstar, "dinstar", 0, "ports of a Dinstar gateway over HTTP, 0-32; 0 = none")
	cmd.Flags().IntVar(&f.dwg, "dwg", 0, "ports of a Dinstar gateway that dials in, 0-32; 0 = none")
	cmd.Flags().Var(&f.faults, "faults", "share of the submissions that meet a fault of the device, such as 2%")
	cmd.Flags().BoolVar(&f.noHangs, "no-hangs", false, "no fault that a device's silence alone tells: those cost a port minutes each")
	cmd.Flags().Var(&f.pace, "unplug", "unplug a device and plug it in again every so often, such as 30s, or each time so many segments are on the air, such as 200")
	cmd.Flags().IntVar(&f.inbound, "inbound", 0, "messages that the network sends to the SIMs meanwhile")
	cmd.Flags().IntVarP(&f.rows, "rows", "r", 1000, "rows of the sample base")
	cmd.Flags().DurationVar(&f.latency, "latency", 50*time.Millisecond, "how long a modem takes for a segment")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "where the API listens; port 0 = any")
	cmd.Flags().StringVar(&f.dir, "dir", "", "keep spool and ledger in this folder; by default a temporary one")
	cmd.Flags().BoolVar(&f.exit, "exit", false, "end when the base is done: exit code 0 only if ledger and counters agree")
	cmd.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print the daemon's log")
	return cmd
}

func (f *demoFlags) check() error {
	switch {
	case f.modems < 1 || f.modems > 32:
		return invalid("modems", "is %d: between 1 and 32", f.modems)
	case f.dinstar < 0 || f.dinstar > 32:
		return invalid("dinstar", "is %d: between 0 and 32", f.dinstar)
	case f.dwg < 0 || f.dwg > 32:
		return invalid("dwg", "is %d: between 0 and 32", f.dwg)
	case f.inbound < 0 || f.inbound > maxInbound:
		return invalid("inbound", "is %d: between 0 and %d", f.inbound, maxInbound)
	case f.rows < 1 || f.rows > 8_000_000:
		return invalid("rows", "is %d: between 1 and 8,000,000", f.rows)
	case f.latency < 0 || f.latency > maxLatency:
		return invalid("latency", "is %s: between 0s and %s", f.latency, maxLatency)
	}
	if _, err := net.ResolveTCPAddr("tcp", f.listen); err != nil {
		return invalid("listen", "%q is no address to listen on: write host:port, such as 127.0.0.1:8080; port 0 takes any that is free", f.listen)
	}
	return nil
}

// run plays the demo in its folder.
func (f *demoFlags) run(ctx context.Context, t terminal) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	if f.dir == "" {
		if f.dir, err = os.MkdirTemp("", "fieldpost-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(f.dir)) }()
	} else if err := f.keep(); err != nil {
		return err
	}
	if f.dir, err = filepath.Abs(f.dir); err != nil { // the configuration takes whole paths only
		return err
	}
	site, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.close()) }()
	ctx, out, stop := whileRead(ctx, t.out)
	defer stop()
	t.out = out
	err = f.serve(ctx, t, site)
	if by, ended := endOf(ctx); ended && by.signal == syscall.SIGPIPE {
		return errors.Join(by, err)
	}
	return err
}

// keep makes the folder that is kept. Its path is whole: the daemon's
// configuration takes no other.
func (f *demoFlags) keep() (err error) {
	if f.dir, err = filepath.Abs(f.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return invalid("dir", "%v", err)
	}
	return nil
}

// serve runs the daemon beside the show, and ends with the first of the two that
// cannot go on.
func (f *demoFlags) serve(ctx context.Context, t terminal, s *demoSite) error {
	daemon, err := f.daemon(ctx, t, s)
	if err != nil {
		return err
	}
	interrupt := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hurry, stop := second(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := daemon.Run(ctx, hurry)
		cancel(err)
		ended <- err
	}()
	err = f.show(ctx, t, s, daemon.Addresses()[0])
	if interrupt.Err() != nil {
		err = nil // no verdict is asked for any more
	}
	cancel(nil)
	return errors.Join(err, <-ended)
}

// daemon builds the daemon as any installer would: from a configuration file.
func (f *demoFlags) daemon(ctx context.Context, t terminal, s *demoSite) (*app.App, error) {
	path := filepath.Join(f.dir, "fieldpost.toml")
	if err := os.WriteFile(path, []byte(f.config(s)), 0o600); err != nil {
		return nil, err
	}
	c, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	if f.verbose {
		log = app.NewLogger(t.err, "debug", "text")
	}
	return app.New(ctx, app.Options{Config: c, Version: version, Logger: log})
}

// config writes the demo's configuration.
func (f *demoFlags) config(s *demoSite) string {
	return fmt.Sprintf(`version = 1
[site]
id = "demo"
region = "UY"
time_zone = "America/Montevideo"
[storage]
path = %q
[http]
listen = %q
%s`, filepath.Join(f.dir, "spool.db"), f.listen, s.config())
}

func (f *demoFlags) client(address string) (*client.Client, error) {
	token, err := os.ReadFile(filepath.Join(f.dir, app.AdminTokenFile))
	if err != nil {
		return nil, err
	}
	return client.New(client.Options{BaseURL: "http://" + address, Token: strings.TrimSpace(string(token))})
}

// stream gives a file of the demo that is written while it is sent.
func stream(write func(io.Writer) error, id string) client.File {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return client.File{Reader: r, Name: id + ".csv", Upload: demoName + "-" + id, Size: -1}
}

// loaded waits until an upload is in the spool.
func loaded(ctx context.Context, c *client.Client, u client.Upload) (client.Upload, error) {
	return awaitLoad(ctx, terminal{err: io.Discard}, c, u)
}
