package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fieldpost/gateway/app"
	"fieldpost/gateway/config"
)

func newRun(t terminal) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "The daemon",
		Long: `Run the daemon until it is told to stop. It starts whatever the modems do: one that is not
there is waited for. The first SIGTERM or SIGINT stops in order, within 30 s; a second one goes straight to closing the
spool; SIGKILL is as safe. Exit codes: 0 done, 1 fault (restart it), 78 bad configuration (do not).`,
		Example: `  fieldpost run --config ./fieldpost.toml`,
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(path)
			if err != nil {
				return noConfig(path, err)
			}
			a, err := app.New(cmd.Context(), app.Options{
				Config: c, Version: version, Logger: app.NewLogger(t.err, c.Log.Level, c.Log.Format),
			})
			if err != nil {
				return err
			}
			hurry, stop := second(cmd.Context())
			defer stop()
			return a.Run(cmd.Context(), hurry)
		},
	}
	cmd.Flags().StringVar(&path, "config", defaultConfig, "configuration file")
	return cmd
}

// second gives a context that ends at the second signal from now on. Both are
// counted here, so that a second one is not missed however soon it comes.
func second(ctx context.Context) (context.Context, context.CancelFunc) {
	hurry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		for range 2 {
			select {
			case <-signals:
			case <-hurry.Done():
				return
			}
		}
		cancel()
	}()
	return hurry, cancel
}
