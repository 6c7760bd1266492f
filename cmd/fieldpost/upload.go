package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// uploadFlags are the flags of upload.
type uploadFlags struct {
	server
	campaign, id, agent string
}

func newUpload(t terminal) *cobra.Command {
	f := &uploadFlags{}
	cmd := &cobra.Command{
		Use:   "upload FILE --campaign NAME",
		Short: "Load a base of messages from a CSV file",
		Long: `Load a base: a CSV file with the columns campaign;destination;message;priority and any
data behind them. Bad rows are told by line and reason, good ones are kept. A row with a
number that cannot exist is kept too, as invalid, to be seen with its campaign: it is counted
apart and never sent. The same file with the
same --id adds nothing, so a doubtful upload may be repeated. FILE may be - for standard input.`,
		Example: `  fieldpost upload november.csv --campaign reminders --id november
  zcat november.csv.gz | fieldpost upload - --campaign reminders`,
		Args: exactArgs("FILE"),
	}
	f.flags(cmd)
	cmd.Flags().StringVarP(&f.campaign, "campaign", "c", "", "campaign or dialer of rows that name none (required)")
	completeWith(cmd, "campaign", f.naming(laneNames))
	cmd.Flags().StringVar(&f.id, "id", "", "id of this upload; by default the box makes one")
	cmd.Flags().StringVar(&f.agent, "agent", "", "who uploads")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if f.campaign == "" {
			return invalid("campaign", "is missing: name the campaign or dialer of the rows")
		}
		return nil
	}
	cmd.RunE = f.asking(func(ctx context.Context, c *client.Client, args []string) error {
		return uploadFile(ctx, t, f.server, args[0], client.File{Upload: f.id, Agent: f.agent},
			func(file client.File) (client.Upload, error) { return c.UploadBase(ctx, f.campaign, file) }, c)
	})
	return cmd
}

// uploadFile sends a file with a bar, waits until its rows are in the spool, and
// prints what came of it.
func uploadFile(ctx context.Context, t terminal, s server, path string, file client.File,
	send func(client.File) (client.Upload, error), c *client.Client) error {
	in, size, err := openInput(t, path)
	if err != nil {
		return err
	}
	defer in.Close()
	file.Reader, file.Size, file.Name = in, size, filepath.Base(path)
	sent := newBar(t, size, "sending", true)
	file.Progress = func(n int64) { sent.Set64(n) }
	u, err := send(file)
	if err != nil {
		return err
	}
	sent.Finish()
	if u, err = awaitLoad(ctx, t, c, u); err != nil {
		return err
	}
	return printUpload(t, s.asJSON, u)
}

// awaitLoad follows an upload until all its rows are in the spool. It is safe on
// the box already: whoever stops waiting loses nothing.
func awaitLoad(ctx context.Context, t terminal, c *client.Client, u client.Upload) (client.Upload, error) {
	loaded := newBar(t, u.Bytes, "loading", true)
	defer loaded.Finish()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for u.State == "loading" {
		loaded.Set64(u.Offset)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return u, leftLoading(u)
		}
		now, err := c.Upload(ctx, u.Upload)
		switch {
		case ctx.Err() != nil:
			return u, leftLoading(u)
		case err != nil:
			return u, err
		}
		u = now
	}
	return u, nil
}

// leftLoading says that whoever waited stopped, and that the box did not.
func leftLoading(u client.Upload) error {
	return gateway.Errorf(gateway.KindUnavailable,
		"upload %s is on the box's disk and goes on loading; the same command with --id %s tells what came of it", u.Upload, u.Upload)
}

func printUpload(t terminal, asJSON bool, u client.Upload) error {
	if asJSON {
		if err := printJSON(t.out, u); err != nil {
			return err
		}
	} else {
		for _, bad := range u.Rejected {
			say(t.out, "line %d: %s\n", bad.Line, bad.Reason)
		}
		if more := u.RejectedTotal - len(u.Rejected); more > 0 {
			say(t.out, "and %s more\n", plural(more, "refused row"))
		}
		say(t.out, "upload %s: %d accepted%s, %d rejected, %d duplicates\n",
			u.Upload, u.Accepted, invalidWords(u), u.RejectedTotal, u.Duplicates)
	}
	switch {
	case u.State == "failed":
		return gateway.Errorf(gateway.KindInvalid, "upload %s failed: %s", u.Upload, u.Error)
	case u.Accepted == u.Invalid && u.Duplicates == 0 && u.RejectedTotal+u.Invalid > 0:
		return gateway.Errorf(gateway.KindInvalid, "upload %s has no row that can be used", u.Upload)
	}
	return nil
}

// invalidWords says how many of the accepted rows are stored to be seen only.
func invalidWords(u client.Upload) string {
	if u.Invalid == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them with an invalid number: fieldpost queue --status invalid --upload %s)", u.Invalid, u.Upload)
}

// openInput opens a file, or standard input for "-". The size is -1 when nobody
// knows it.
func openInput(t terminal, path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(t.in), -1, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, gateway.Invalid("FILE", "%v", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New(path + " is a directory")
	}
	if err != nil {
		f.Close()
		return nil, 0, gateway.Invalid("FILE", "%v", err)
	}
	return f, info.Size(), nil
}

// newBar makes a progress bar on a terminal; in a pipe it draws nothing.
func newBar(t terminal, total int64, what string, bytes bool) *progressbar.ProgressBar {
	w := t.err
	if !isTerminal(w) {
		w = io.Discard
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(bytes),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }),
	)
}
