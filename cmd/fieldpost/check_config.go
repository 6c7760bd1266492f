package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fieldpost/gateway/config"
)

func newCheckConfig(t terminal) *cobra.Command {
	var path string
	var example bool
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Check a configuration file and tell all its faults by line",
		Long: `Check a configuration file without starting anything. Every fault is told at once, with its
line and key. --example prints the commented file with the defaults of this version.`,
		Example: `  fieldpost check-config --config /etc/fieldpost/fieldpost.toml
  fieldpost check-config --example > fieldpost.toml`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if example {
				text, err := config.Example()
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(t.out, text)
				return err
			}
			c, err := config.Load(path)
			if err != nil {
				return err
			}
			ports := 0
			for _, p := range c.Providers {
				ports += len(p.Ports)
			}
			_, err = fmt.Fprintf(t.out, "%s is good: site %s, %s, %s\n",
				path, c.Site.ID, plural(len(c.Providers), "provider"), plural(ports, "port"))
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", defaultConfig, "the file to check")
	cmd.Flags().BoolVar(&example, "example", false, "print the commented file with all defaults")
	return cmd
}
