// Command fieldpost is the SMS gateway of a branch office: the daemon (run), its
// rehearsal on simulated hardware (demo, simulate), and the verbs that ask and
// tell a running daemon over its REST API.
//
// Exit codes: 0 done, 1 fault, 2 a command that cannot be understood, 78 a
// configuration that cannot be used (sysexits EX_CONFIG: the unit does not restart),
// 128 and a signal's number for a measurement that it ended.
package main

import (
	"context"
	"os"
	"syscall"
	_ "time/tzdata" // a box without the package tzdata knows its zone all the same
)

func main() { os.Exit(program()) }

// program is all of main but the exit.
func program() int {
	// The first signal stops in order; a second one goes straight to closing the spool.
	ctx, stop := untilSignal(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:])
}
