package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fieldpost/gateway/config"
)

// checkFlags are the flags of check-config.
type checkFlags struct {
	path    string
	example bool
	asJSON  bool
}

// checked is what check-config tells a script.
type checked struct {
	File      string  `json:"file"`
	Good      bool    `json:"good"`
	Site      string  `json:"site,omitempty"`
	Providers int     `json:"providers"`
	Ports     int     `json:"ports"`
	Faults    []fault `json:"faults"`
}

type fault struct {
	Line int    `json:"line,omitempty"`
	Key  string `json:"key,omitempty"`
	Text string `json:"text"`
}

func newCheckConfig(t terminal) *cobra.Command {
	f := checkFlags{}
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Check a configuration file and tell all its faults by line",
		Long: `Check a configuration file without starting anything. Every fault is told at once, with its
line and key, and the exit code is 78. --example prints the commented file with the defaults of this version.`,
		Example: `  fieldpost check-config --config /etc/fieldpost/fieldpost.toml
  fieldpost check-config --example > fieldpost.toml`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if f.example {
				return printExample(t)
			}
			return f.check(t)
		},
	}
	cmd.Flags().StringVar(&f.path, "config", defaultConfig, "the file to check")
	cmd.Flags().BoolVar(&f.example, "example", false, "print the commented file with all defaults")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

func printExample(t terminal) error {
	text, err := config.Example()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(t.out, text)
	return err
}

func (f *checkFlags) check(t terminal) error {
	c, err := config.Load(f.path)
	out := checked{File: f.path, Good: err == nil, Faults: faultsOf(err)}
	if err == nil {
		out.Site, out.Providers = c.Site.ID, len(c.Providers)
		for _, p := range c.Providers {
			out.Ports += len(p.Ports)
		}
	}
	switch {
	case f.asJSON:
		return errors.Join(printJSON(t.out, out), err)
	case err != nil:
		return noConfig(f.path, err)
	}
	_, err = fmt.Fprintf(t.out, "%s is good: site %s, %s, %s\n",
		f.path, out.Site, plural(out.Providers, "provider"), plural(out.Ports, "port"))
	return err
}

// faultsOf lists what is wrong in a file; empty, not nil, when nothing is.
func faultsOf(err error) []fault {
	all := []fault{}
	var whole *config.Error
	if errors.As(err, &whole) {
		for _, one := range whole.Faults {
			all = append(all, fault(one))
		}
	}
	return all
}
