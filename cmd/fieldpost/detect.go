package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/modem/serial"
)

func newDetect(t terminal) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "detect",
		Short: "Find the modems of this box and print the configuration for them",
		Long: `Ask every serial port that nobody holds what is behind it, and print what answers as a snippet for
the configuration file. It changes nothing in a modem, enters no PIN and takes no message. A port that another program
holds is named with that program.`,
		Example: `  sudo fieldpost detect | sudo tee -a /etc/fieldpost/fieldpost.toml`,
		Args:    exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := serial.Detect(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(t.out, found)
			}
			return printDetected(t, found)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printDetected prints the snippet on standard output, and what is wrong on the
// error stream, so that the output can be appended to a file.
func printDetected(t terminal, found []serial.Found) error {
	best := 0
	for _, f := range found {
		switch {
		case f.Best:
			if best == 0 {
				fmt.Fprintf(t.out, "[[provider]]\nname = \"bank\"\ntype = %q\nreport = true\n", gateway.TypeGSM)
			}
			printPort(t.out, best, f)
			best++
		case f.Problem != "":
			fmt.Fprintf(t.err, "%s: %s\n", f.Port.Path, cell(f.Problem))
		}
	}
	switch {
	case len(found) == 0:
		return gateway.Errorf(gateway.KindNotFound, "this box has no serial port: is the modem plugged in? \"dmesg\" tells what came")
	case best == 0:
		return gateway.Errorf(gateway.KindNotFound, "no modem answers on the serial ports of this box (%d)", len(found))
	}
	return nil
}

func printPort(w io.Writer, port int, f serial.Found) {
	fmt.Fprintf(w, "\n# %s, SIM %s", cell(f.Model), cell(f.SIM))
	if f.Operator != "" {
		fmt.Fprintf(w, ", %s", cell(f.Operator))
	}
	fmt.Fprintf(w, "\n[[provider.port]]\nport = %d\n", port)
	if port > gateway.MaxPort {
		fmt.Fprintf(w, "# beyond port %d: put this modem into another provider\n", gateway.MaxPort)
	}
	fmt.Fprintf(w, "device = %q\n", f.Port.Name())
}
