package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fieldpost/gateway"
	"fieldpost/gateway/app"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
)

// defaultConfig is where the package puts the configuration.
const defaultConfig = "/etc/fieldpost/fieldpost.toml"

// server is the running daemon that a verb talks to.
type server struct {
	url       string
	config    string
	token     string
	tokenFile string
	asJSON    bool
}

// flags adds what every verb that talks to the daemon has.
func (s *server) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&s.url, "server", os.Getenv("FIELDPOST_SERVER"),
		"address of the daemon (FIELDPOST_SERVER); by default where the configuration says, or "+client.DefaultBaseURL)
	f.StringVar(&s.config, "config", os.Getenv("FIELDPOST_CONFIG"),
		"configuration of the daemon on this box (FIELDPOST_CONFIG); by default "+defaultConfig+", where you may read it")
	f.StringVar(&s.token, "token", os.Getenv("FIELDPOST_TOKEN"), "API token (FIELDPOST_TOKEN)")
	f.StringVar(&s.tokenFile, "token-file", "", "file that holds the token; by default the daemon's own, where you may read it")
	f.BoolVar(&s.asJSON, "json", false, "print JSON")
	// A secret in the environment is not a default to print in the help.
	f.Lookup("token").DefValue = ""
}

// connect makes the client; it does not call the daemon yet.
func (s *server) connect() (*client.Client, error) {
	c, err := s.site()
	if err != nil {
		return nil, err
	}
	if s.url == "" {
		s.url = "http://" + reachable(c.HTTP.Listen[0])
	}
	token, err := s.secret(c)
	if err != nil {
		return nil, err
	}
	out, err := client.New(client.Options{BaseURL: s.url, Token: token, UserAgent: "fieldpost/" + version})
	if err != nil {
		return nil, usageError{err}
	}
	return out, nil
}

// site gives the configuration of the daemon on this box. One that was named must
// be good; the usual one is for root and the daemon's user, and whoever may not
// read it goes on with the defaults.
func (s *server) site() (*config.Config, error) {
	if s.config != "" {
		return config.Load(s.config)
	}
	c, err := config.Load(defaultConfig)
	if err != nil {
		c = config.Default()
	}
	return c, nil
}

// reachable is the address to call a listener at: one on every address of the box
// is called on the loopback.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// secret gives the token to call with: the one that was given, or the daemon's
// admin token on this box. That one never leaves the box, and is for root and the
// daemon's user: whoever may not read it goes on without, with what a trusted
// address may do.
func (s *server) secret(c *config.Config) (string, error) {
	switch {
	case s.token != "":
		return s.token, nil
	case s.tokenFile != "":
		b, err := os.ReadFile(s.tokenFile)
		if err != nil {
			return "", gateway.Invalid("--token-file", "%v", err)
		}
		return strings.TrimSpace(string(b)), nil
	case !onThisBox(s.url, c.HTTP.Listen):
		return "", nil
	}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(c.Storage.Path), app.AdminTokenFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return "", err
	}
	return strings.TrimSpace(string(b)), nil
}

// onThisBox says that a URL is the loopback, or where the daemon listens.
func onThisBox(at string, listen []string) bool {
	u, err := url.Parse(at)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() || u.Hostname() == "localhost" {
		return true
	}
	return slices.Contains(listen, u.Host)
}

// asking runs a verb's body with a client.
func (s *server) asking(body func(ctx context.Context, c *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := s.connect()
		if err != nil {
			return err
		}
		defer c.Close()
		return hint(s, body(cmd.Context(), c, args))
	}
}

// hint adds what to do next to the errors that every newcomer meets.
func hint(s *server, err error) error {
	var op *net.OpError
	switch {
	case gateway.KindOf(err) == gateway.KindUnauthorized:
		return fmt.Errorf("%w\nhint: run it as root on the box, or give --token; \"fieldpost token create\" makes one", err)
	case gateway.KindOf(err) == gateway.KindForbidden && strings.Contains(err.Error(), "scope"):
		return fmt.Errorf("%w\nhint: run it as root on the box, or give --token with one that has it; \"fieldpost token create\" makes one", err)
	case gateway.KindOf(err) == gateway.KindUnknownOutcome:
		return fmt.Errorf("%w\nhint: it may have been done all the same: look with \"fieldpost status\" or \"fieldpost queue\" before it is repeated", err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%w\nhint: is the daemon running there? \"systemctl status fieldpost\" tells; --server names another address", err)
	}
	return err
}
