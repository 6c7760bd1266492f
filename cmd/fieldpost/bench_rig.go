package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"fieldpost/gateway/app"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
	"fieldpost/modem/sim"
)

// rig is the daemon in this process, and its modems in another one, so that the
// processor time of the two can be told apart.
type rig struct {
	dir    string
	url    string
	client *client.Client
	modems *exec.Cmd // nil = none
	daemon *app.App
	cancel context.CancelFunc
	ended  chan error
}

// radio is how long a segment takes.
type radio struct {
	latency time.Duration
	jitter  float64 // share of it, give or take
	hung    bool    // the first modem hangs for good after its second segment
}

// newRig starts n modems and a daemon that has them; n may be 0.
func (b *benchRun) newRig(ctx context.Context, n int, radio radio) (r *rig, err error) {
	r = &rig{ended: make(chan error, 1)}
	if r.dir, err = os.MkdirTemp(b.dir, "rig-"); err != nil {
		return nil, err
	}
	if n > 0 {
		if err := r.startModems(ctx, n, radio); err != nil {
			return nil, err
		}
	}
	if err := r.startDaemon(ctx, n); err != nil {
		return nil, errors.Join(err, r.stopModems())
	}
	if err := r.awaitReady(ctx, n); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// startModems runs this program as the simulator.
func (r *rig) startModems(ctx context.Context, n int, radio radio) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	hang := -1
	if radio.hung {
		hang = 0
	}
	r.modems = exec.CommandContext(ctx, self, "simulate", "modems", "--modems", fmt.Sprint(n), "--latency", radio.latency.String(),
		"--jitter", fmt.Sprint(radio.jitter), "--hang", fmt.Sprint(hang),
		"--dir", filepath.Join(r.dir, "modems"), "--ledger", r.ledger())
	r.modems.Stderr = os.Stderr
	out, err := r.modems.StdoutPipe()
	if err != nil {
		return err
	}
	if err := r.modems.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "ready") {
			return nil
		}
	}
	return errors.Join(errors.New("the simulator did not start"), r.modems.Wait())
}

func (r *rig) ledger() string { return filepath.Join(r.dir, "air.jsonl") }

func (r *rig) startDaemon(ctx context.Context, n int) error {
	c, err := r.config(n)
	if err != nil {
		return err
	}
	r.daemon, err = app.New(ctx, app.Options{Config: c, Version: version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r.url = "http://" + r.daemon.Addresses()[0]
	ctx, r.cancel = context.WithCancel(ctx)
	go func() { r.ended <- r.daemon.Run(ctx, context.WithoutCancel(ctx)) }()
	token, err := os.ReadFile(filepath.Join(r.dir, app.AdminTokenFile))
	if err != nil {
		return err
	}
	r.client, err = client.New(client.Options{BaseURL: r.url, Token: strings.TrimSpace(string(token)), Timeout: 10 * time.Minute})
	return err
}

// config names n modems, and one that is not there when n is 0.
func (r *rig) config(n int) (*config.Config, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "version = 1\n[site]\nid = \"bench\"\nregion = \"UY\"\n[storage]\npath = %q\n[http]\nlisten = \"127.0.0.1:0\"\n",
		filepath.Join(r.dir, "spool.db"))
	b.WriteString("[[provider]]\nname = \"bank\"\ntype = \"GSM\"\n")
	for port := range max(n, 1) {
		fmt.Fprintf(&b, "[[provider.port]]\nport = %d\ndevice = %q\n", port, filepath.Join(r.dir, "modems", fmt.Sprintf("port%d", port)))
	}
	return config.Parse(filepath.Join(r.dir, "fieldpost.toml"), []byte(b.String()))
}

// restart ends the daemon and starts another one on its spool. It gives how long
// that one took until its API listens.
func (r *rig) restart(ctx context.Context) (time.Duration, error) {
	r.client.Close()
	r.cancel()
	if err := <-r.ended; err != nil {
		return 0, err
	}
	began := time.Now()
	err := r.startDaemon(ctx, 0)
	return time.Since(began), err
}

// awaitReady waits until every modem can send.
func (r *rig) awaitReady(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return poll(ctx, 50*time.Millisecond, func() (bool, error) {
		s, err := r.client.Site(ctx)
		return s.Channels.Ready >= n, err
	})
}

// poll asks until it is done.
func poll(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// dialer makes a dialer over all modems, stopped.
func (r *rig) dialer(ctx context.Context, n int) error {
	dial := "0"
	if n > 1 {
		dial = fmt.Sprintf("0-%d", n-1)
	}
	_, err := r.client.CreateDialer(ctx, client.Dialer{Name: demoName, Provider: "bank", DialString: dial})
	return err
}

// load puts rows of one segment into the dialer's queue.
func (r *rig) load(ctx context.Context, rows int) error {
	u, err := r.client.UploadBase(ctx, demoName, stream(demoBase{rows: rows, campaign: demoName, plain: true}.write, "base"))
	if err != nil {
		return err
	}
	_, err = loaded(ctx, r.client, u)
	return err
}

// drain starts the dialer and waits until everything is sent. It gives how long
// it took and what processor time this process used for it. every is how often it
// asks: asking costs processor time too.
func (r *rig) drain(ctx context.Context, every time.Duration) (took, processor time.Duration, err error) {
	return r.drainTo(ctx, every, 0)
}

// drainTo is drain that leaves rows which a modem does not let go of.
func (r *rig) drainTo(ctx context.Context, every time.Duration, left uint64) (took, processor time.Duration, err error) {
	before, err := processorTime()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if _, err := r.client.StartDialer(ctx, demoName); err != nil {
		return 0, 0, err
	}
	err = poll(ctx, every, func() (bool, error) {
		n, err := r.client.DialerCounters(ctx, demoName)
		return n.NotProcessed <= left, err
	})
	if err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := processorTime()
	return took, after - before, err
}

// written gives the bytes that the spool has written so far.
func (r *rig) written() uint64 { return r.daemon.StorageStats().BytesWritten }

// entries reads the ledger of the modems' process.
func (r *rig) entries() ([]sim.Entry, error) {
	f, err := os.Open(r.ledger())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, _, err := readLedger(f)
	return entries, err
}

func (r *rig) stopModems() error {
	if r.modems == nil {
		return nil
	}
	return errors.Join(r.modems.Process.Signal(syscall.SIGTERM), r.modems.Wait())
}

// close stops both processes and removes what they wrote.
func (r *rig) close() error {
	r.client.Close()
	r.cancel()
	return errors.Join(<-r.ended, r.stopModems(), os.RemoveAll(r.dir))
}
