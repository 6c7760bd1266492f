package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"fieldpost/gateway/config"
)

// The test binary plays other processes for the tests that need one.
const (
	playDaemon = "FIELDPOST_TEST_DAEMON" // path of the configuration of a daemon that will be killed
	playHolder = "FIELDPOST_TEST_HOLDER" // path of a port to hold until stdin ends
)

// TestMain plays what it is told to, or runs the tests; nothing may be left running.
func TestMain(m *testing.M) {
	var play func() error
	switch {
	case os.Getenv(playDaemon) != "":
		play = func() error { return runDaemon(os.Getenv(playDaemon)) }
	case os.Getenv(playHolder) != "":
		play = func() error { return holdPort(os.Getenv(playHolder)) }
	default:
		// The tests wait for modems more than they work; -parallel overrides it.
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
		goleak.VerifyTestMain(m) // and ends
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runDaemon is fieldpost run: it tells where it listens, and runs until killed.
func runDaemon(path string) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	a, err := New(context.Background(), Options{Config: c, Version: "test"})
	if err != nil {
		return err
	}
	fmt.Println(a.Addresses()[0])
	return a.Run(context.Background(), context.Background())
}

// holdPort is another program on a modem's port, which locks it as they do.
func holdPort(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = io.Copy(io.Discard, os.Stdin) // ends with the test
	return err
}
