package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// figure is one line of the table: what was measured, beside what it is measured
// against in the same run.
type figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Goal   string  `json:"goal"`
	Within bool    `json:"within"` // the goal is reached
	Beside string  `json:"beside,omitempty"`
}

// bench is one measurement; it may give several figures.
type bench struct {
	name string
	what string
	run  func(context.Context, *benchRun) ([]figure, error)
}

// benches lists the measurements, in the order of the table.
func benches() []bench {
	return []bench{
		{"intake", "SendSMS accepted and on disk, 16 and 64 callers", benchIntake},
		{"ideal", "32 modems against the ideal, the gap between two sends, processor time", benchIdeal},
		{"hung", "32 modems at 3 s of which one hangs for good: what the others lose, and how long a stop takes", benchHung},
		{"rate", "messages a second with modems that answer at once", benchRate},
		{"bytes", "bytes written for a message over its whole life", benchBytes},
		{"base", "a CSV base of a million rows, and a start with it", benchBase},
		{"claim", "claim of 50 rows from a short and a long queue", benchClaim},
		{"blacklist", "ten million numbers: import, look-up, memory", benchBlacklist},
		{"idle", "32 modems with nothing to do", benchIdle},
	}
}

// benchRun is what the measurements share.
type benchRun struct {
	term  terminal
	dir   string // for spools; removed in the end
	quick bool   // a tenth of the size
	sync  syncTime
}

// scaled gives a size, or a tenth of it for --quick.
func (b *benchRun) scaled(n int) int {
	if b.quick {
		return n / 10
	}
	return n
}

// say tells on the error stream what is going on: a run takes minutes.
func (b *benchRun) say(format string, args ...any) { fmt.Fprintf(b.term.err, format+"\n", args...) }

func newBench(t terminal) *cobra.Command {
	var (
		only   []string
		quick  bool
		asJSON bool
		dir    string
		prof   string
	)
	var names []string
	for _, b := range benches() {
		names = append(names, b.name)
	}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this box: intake, gaps, bases, memory, against the figures to reach",
		Long: `Measure this box on simulated modems in a process of their own, with every sync on. Each figure
stands beside what it is measured against in the same run. Measurements: ` + strings.Join(names, ", ") + `.`,
		Example: `  fieldpost bench --only intake,ideal
  fieldpost bench --quick --dir /var/lib/fieldpost`,
		Args: exactArgs(),
	}
	cmd.Flags().StringSliceVar(&only, "only", nil, "only these measurements")
	cmd.Flags().BoolVar(&quick, "quick", false, "a tenth of every size")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&prof, "cpuprofile", "", "write a processor profile of this process to a file")
	cmd.Flags().StringVar(&dir, "dir", "", "folder on the disk to measure; by default the system's temporary one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		for _, name := range only {
			if !slices.Contains(names, name) {
				return invalid("only", "%q is no measurement: one of %s", name, strings.Join(names, ", "))
			}
		}
		b := &benchRun{term: t, quick: quick}
		if b.dir, err = os.MkdirTemp(dir, "fieldpost-bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
		stop, err := profile(prof)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		figures, err := b.all(cmd.Context(), only)
		if by, ended := endOf(cmd.Context()); ended {
			return by // half a table says nothing
		}
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(t.out, figures)
		}
		return printFigures(t.out, figures)
	}
	return cmd
}

// profile begins a processor profile, where one is wanted, and gives its end.
func profile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func (b *benchRun) all(ctx context.Context, only []string) ([]figure, error) {
	var err error
	if b.sync, err = measureSync(b.dir); err != nil {
		return nil, err
	}
	b.say("one sync of this disk: %s, 99 of 100 within %s", b.sync.median, b.sync.p99)
	var all []figure
	for _, one := range benches() {
		if len(only) > 0 && !slices.Contains(only, one.name) {
			continue
		}
		b.say("%s: %s", one.name, one.what)
		if err := ctx.Err(); err != nil {
			return all, err
		}
		figures, err := one.run(ctx, b)
		if err != nil {
			return all, fmt.Errorf("bench %s: %w", one.name, err)
		}
		all = append(all, figures...)
	}
	return all, nil
}

func printFigures(w io.Writer, figures []figure) error {
	rows := newTable(w, "FIGURE", "MEASURED", "GOAL", "", "BESIDE")
	for _, f := range figures {
		mark := "reached"
		if !f.Within {
			mark = "NOT REACHED"
		}
		rows.row(f.Name, fmt.Sprintf("%.4g %s", f.Value, f.Unit), f.Goal, mark, f.Beside)
	}
	return rows.flush()
}
