package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	token     string
	tokenFile string
	asJSON    bool
}

// flags adds what every verb that talks to the daemon has.
func (s *server) flags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&s.url, "server", envOr("FIELDPOST_SERVER", client.DefaultBaseURL), "address of the daemon (FIELDPOST_SERVER)")
	f.StringVar(&s.token, "token", os.Getenv("FIELDPOST_TOKEN"), "API token (FIELDPOST_TOKEN)")
	f.StringVar(&s.tokenFile, "token-file", "", "file that holds the token; by default the daemon's own, where you may read it")
	f.BoolVar(&s.asJSON, "json", false, "print JSON")
	// A secret in the environment is not a default to print in the help.
	f.Lookup("token").DefValue = ""
}

// connect makes the client; it does not call the daemon yet.
func (s *server) connect() (*client.Client, error) {
	token := s.token
	if token == "" {
		var err error
		if token, err = s.readToken(); err != nil {
			return nil, err
		}
	}
	c, err := client.New(client.Options{BaseURL: s.url, Token: token, UserAgent: "fieldpost/" + version})
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// readToken reads the named file, or the daemon's admin token on this box. That
// one is for root and the daemon's user: whoever may not read it goes on without,
// with what a trusted address may do.
func (s *server) readToken() (string, error) {
	path := s.tokenFile
	if path == "" {
		path = adminTokenPath()
	}
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		return strings.TrimSpace(string(b)), nil
	case s.tokenFile == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)):
		return "", nil
	}
	return "", gateway.Invalid("--token-file", "%v", err)
}

// adminTokenPath is where the daemon of this box writes its admin token.
func adminTokenPath() string {
	storage := config.Default().Storage.Path
	if c, err := config.Load(defaultConfig); err == nil {
		storage = c.Storage.Path
	}
	return filepath.Join(filepath.Dir(storage), app.AdminTokenFile)
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
	switch gateway.KindOf(err) {
	case gateway.KindUnauthorized:
		return fmt.Errorf("%w\nhint: run it as root on the box, or give --token; \"fieldpost token create\" makes one", err)
	case gateway.KindUnavailable:
		return fmt.Errorf("%w\nhint: is the daemon running at %s? \"systemctl status fieldpost\" tells", err, s.url)
	}
	return err
}

func envOr(name, def string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return def
}
