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

	"fieldpost/gateway"
	"fieldpost/gateway/app"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
)

// demoName is the demo's dialer, and the name of its base.
const demoName = "demo"

// maxLatency bounds how long a simulated radio takes: longer than any real one.
const maxLatency = 10 * time.Minute

// demoFlags scale the demo.
type demoFlags struct {
	modems  int
	rows    int
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

With --dir everything is kept there: killed in any way and started again on the same folder, the demo goes on
where it was.`,
		Example: `  fieldpost demo
  fieldpost demo --exit --rows 20000 --modems 32 --latency 20ms`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	cmd.Flags().IntVarP(&f.modems, "modems", "m", 8, "simulated modems, 1-32")
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
	hw := simulateFlags{
		modems: f.modems, dir: filepath.Join(f.dir, "modems"), ledger: filepath.Join(f.dir, "air.jsonl"),
		vendor: "generic", latency: f.latency, seed: f.seed, reports: 4 * f.latency,
	}
	air, err := hw.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, air.close()) }()
	ctx, out, stop := whileRead(ctx, t.out)
	defer stop()
	t.out = out
	err = f.serve(ctx, t, air)
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
func (f *demoFlags) serve(ctx context.Context, t terminal, a *air) error {
	daemon, err := f.daemon(ctx, t, a)
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
	err = f.show(ctx, t, a, daemon.Addresses()[0])
	if interrupt.Err() != nil {
		err = nil // no verdict is asked for any more
	}
	cancel(nil)
	return errors.Join(err, <-ended)
}

// daemon builds the daemon as any installer would: from a configuration file.
func (f *demoFlags) daemon(ctx context.Context, t terminal, a *air) (*app.App, error) {
	path := filepath.Join(f.dir, "fieldpost.toml")
	if err := os.WriteFile(path, []byte(f.config(a)), 0o600); err != nil {
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
func (f *demoFlags) config(a *air) string {
	var b strings.Builder
	fmt.Fprintf(&b, `version = 1
[site]
id = "demo"
region = "UY"
time_zone = "America/Montevideo"
[storage]
path = %q
[http]
listen = %q
[[provider]]
name = "bank"
type = "GSM"
report = true
default = true
`, filepath.Join(f.dir, "spool.db"), f.listen)
	for port := range a.bank.Modems {
		fmt.Fprintf(&b, "[[provider.port]]\nport = %d\ndevice = %q\n", port, a.bank.Device(port))
	}
	return b.String()
}

// show plays the customer: it defines a dialer, blocks numbers, loads the base,
// watches, and gives the verdict. All of it goes over the REST API.
func (f *demoFlags) show(ctx context.Context, t terminal, a *air, address string) error {
	c, err := f.client(address)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(t.out, "fieldpost demo: %s at %s a segment, %s, API at http://%s/api/v1\n",
		plural(f.modems, "modem"), f.latency, plural(f.rows, "row"), address)
	base := demoBase{rows: f.rows, campaign: demoName}
	if err := f.prepare(ctx, c, base); err != nil {
		return err
	}
	if err := f.watch(ctx, t, c, a); err != nil {
		return err
	}
	verdict, err := f.judge(ctx, c, a, base)
	if err != nil {
		return err
	}
	verdict.print(t.out)
	if f.exit {
		return verdict.err()
	}
	fmt.Fprintf(t.out, "\nstill serving until interrupted; try in another window\n"+
		"  fieldpost status --server http://%[1]s\n"+
		"  fieldpost explain 1 --server http://%[1]s\n"+
		"  curl -s http://%[1]s/api/v1/dialers/%[2]s/counters\n", address, demoName)
	<-ctx.Done()
	return nil
}

func (f *demoFlags) client(address string) (*client.Client, error) {
	token, err := os.ReadFile(filepath.Join(f.dir, app.AdminTokenFile))
	if err != nil {
		return nil, err
	}
	return client.New(client.Options{BaseURL: "http://" + address, Token: strings.TrimSpace(string(token))})
}

// prepare is repeatable: a demo that was killed finds what it made before.
func (f *demoFlags) prepare(ctx context.Context, c *client.Client, base demoBase) error {
	dial := fmt.Sprintf("(0.%d)", f.modems-1)
	if f.modems == 1 {
		dial = "0"
	}
	_, err := c.CreateDialer(ctx, client.Dialer{Name: demoName, Provider: "bank", DialString: dial, DNCR: true})
	if err != nil && gateway.KindOf(err) != gateway.KindConflict {
		return err
	}
	if base.rows >= demoListedEvery {
		listed, err := c.UploadBlacklist(ctx, stream(base.writeListed, "blacklist"))
		if err != nil {
			return err
		}
		if _, err := loaded(ctx, c, listed); err != nil {
			return err
		}
	}
	_, err = c.UploadBase(ctx, demoName, stream(base.write, "base"))
	switch {
	case gateway.KindOf(err) == gateway.KindConflict:
		return invalid("rows", "is %d, and this folder holds a base of another size: give that one again, or another --dir", f.rows)
	case err != nil:
		return err
	}
	_, err = c.StartDialer(ctx, demoName)
	return err
}

// stream gives a file that is written while it is sent.
func stream(write func(io.Writer) error, id string) client.File {
	r, w := io.Pipe()
	go func() { w.CloseWithError(write(w)) }()
	return client.File{Reader: r, Name: id + ".csv", Upload: demoName + "-" + id, Size: -1}
}

// loaded waits until an upload is in the spool.
func loaded(ctx context.Context, c *client.Client, u client.Upload) (client.Upload, error) {
	return awaitLoad(ctx, terminal{err: io.Discard}, c, u)
}
