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
		Args: exactArgs(),
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

// second gives a context that ends at the signal after the one that ended ctx.
func second(ctx context.Context) (context.Context, context.CancelFunc) {
	hurry, cancel := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 1)
	go func() {
		select {
		case <-ctx.Done(): // the first signal is not ours
		case <-hurry.Done():
			return
		}
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		select {
		case <-signals:
			cancel()
		case <-hurry.Done():
		}
		signal.Stop(signals)
	}()
	return hurry, cancel
}
