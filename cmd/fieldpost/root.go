package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/config"
)

// terminal is where a verb reads and writes.
type terminal struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// The exit codes that scripts and the unit file know.
const (
	exitDone   = 0
	exitFault  = 1
	exitUsage  = 2
	exitConfig = 78
	exitSignal = 128 // and the signal's number
)

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

// execute runs one command line and gives its exit code.
func execute(ctx context.Context, term terminal, args []string) int {
	root := newRoot(term)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var by endedBy
	if errors.As(err, &by) {
		return exitSignal + int(by.signal)
	}
	fmt.Fprintf(term.err, "fieldpost: %s\n", clean(err.Error()))
	return exitCode(err)
}

// exitCode maps what went wrong to what a script can act on.
func exitCode(err error) int {
	var usage usageError
	var faults *config.Error
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &faults):
		return exitConfig
	}
	return exitFault
}

func newRoot(term terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "fieldpost",
		Short: "SMS gateway of a branch office",
		Long: `fieldpost keeps every message on disk and sends it through the modems and gateways
of a branch office, with or without the WAN.

  fieldpost demo       see all of it on simulated modems
  fieldpost run        the daemon
  fieldpost status     what a running daemon does, and why`,
		Args:          exactArgs(),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(term.in)
	root.SetOut(term.out)
	root.SetErr(term.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	verbs := []func(terminal) *cobra.Command{
		newRun, newDemo, newSimulate, newCheckConfig, newDetect,
		newStatus, newSend, newUpload, newQueue, newExplain, newChannels, newSIMs, newBlacklist,
		newCampaign, newDialer, newToken,
		newBench, newVersion,
	}
	for _, verb := range verbs {
		root.AddCommand(verb(term))
	}
	return root
}

// exactArgs wants as many arguments as names, and says which, as a usage error.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0 && cmd.HasAvailableSubCommands():
			return usageError{fmt.Errorf("%s has no verb %q%s; see %s --help",
				cmd.CommandPath(), args[0], meant(cmd, args[0]), cmd.CommandPath())}
		}
		return usageError{fmt.Errorf("%s wants %s; see %s --help", cmd.CommandPath(), wants(names), cmd.CommandPath())}
	}
}

// someArgs wants one argument or more.
func someArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return exactArgs(name)(cmd, args)
		}
		return nil
	}
}

// meant offers the verbs that are spelt nearly so.
func meant(cmd *cobra.Command, typed string) string {
	cmd.SuggestionsMinimumDistance = 2 // letters
	near := cmd.SuggestionsFor(typed)
	if len(near) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(near, " or ") + "?"
}

func wants(names []string) string {
	if len(names) == 0 {
		return "no argument"
	}
	return strings.Join(names, " ")
}

// noConfig says what to do where there is no configuration yet.
func noConfig(path string, err error) error {
	if _, missing := os.Stat(path); errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("%w\nhint: --config names another file; \"fieldpost check-config --example\" prints one to begin with", err)
	}
	return err
}

// invalid is a flag whose value cannot work.
func invalid(flag, format string, args ...any) error {
	return usageError{gateway.Invalid("--"+flag, format, args...)}
}
