package config

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"

	"fieldpost/gateway"
)

// maxFile bounds a configuration file, in bytes: 32 ports with all their keys take
// 8 KiB.
const maxFile = 128 << 10

// Config is a checked configuration. Default gives the values of absent keys.
type Config struct {
	Site      Site
	Storage   Storage
	HTTP      HTTP
	Hub       Hub
	Log       Log
	Sending   Sending
	Inbound   Inbound
	OptOut    OptOut
	Providers []Provider
	Operators []gateway.Operator
	Cards     Cards
	SIMs      []SIM
}

// Site says where the box stands.
type Site struct {
	ID     string         // names the box to the hub
	Region string         // ISO 3166-1 alpha-2; whose numbers are written without a country code
	Zone   *time.Location // of schedules and quota windows
}

// Storage is the spool.
type Storage struct {
	Path       string // of the spool file, whole
	MaxSize    int64  // of the spool file, bytes
	KeepEvents int    // events kept for those who read them late
}

// HTTP is the API and the console.
type HTTP struct {
	Listen  []string       // host:port
	Trusted []netip.Prefix // callers who need no token
	MaxBody int64          // of a request, bytes
	MaxBase int64          // of an uploaded CSV file, bytes
	Rate    float64        // requests a second from one caller; 0 = no limit
	Burst   int            // requests above the rate at once
}

// Hub is the company's central broker. No broker, no hub.
type Hub struct {
	Broker    string // tls://host:8883
	User      string
	Password  gateway.Secret
	CAFile    string // whole paths
	CertFile  string
	KeyFile   string
	KeepAlive time.Duration
}

// Log says how much is logged, and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // text or json
}

// Sending is what holds for every message unless something nearer says otherwise.
type Sending struct {
	MaxSegments int           // of one message, 1-10
	Attempts    int           // tries of one message before it is failed
	ResendAfter time.Duration // wait for a report before an unknown message is sent again, where the policy says so
	ValidFor    ValidFor
}

// ValidFor is how long a message waits before it expires; 0 = for ever.
type ValidFor struct {
	Single time.Duration // one message: SendSMS, the API, the console
	Base   time.Duration // a row of a base
}

// Provider is a provider of the file: gateway.Provider with its secrets.
type Provider struct {
	gateway.Provider
	Password   gateway.Secret
	PushSecret gateway.Secret // the last segment of the path that its gateway pushes to
}

// Load reads a configuration file. Whatever is wrong is in one *Error of kind
// invalid: the daemon must not be restarted for it.
func Load(path string) (*Config, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &Error{File: path, Faults: []Fault{{Text: "is not a regular file"}}}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return Parse(path, data)
}

// Parse reads a configuration. Files that it names are looked for beside name.
func Parse(name string, data []byte) (*Config, error) {
	fs := &faults{}
	if len(data) > maxFile {
		fs.add("", "is larger than %s: this is no configuration", formatSize(maxFile))
		return nil, fs.err(name)
	}
	lines, deep := locate(string(data))
	if deep > 0 {
		fs.list = append(fs.list, Fault{Line: deep, Text: fmt.Sprintf("is nested more than %d levels deep", maxDepth)})
		return nil, fs.err(name)
	}
	fs.lines = lines
	tree := map[string]any{}
	if err := toml.Unmarshal(data, &tree); err != nil {
		fs.list = append(fs.list, syntax(err))
		return nil, fs.err(name)
	}
	if err := migrate(tree, Version, migrations()); err != nil {
		fs.add("version", "%v", err)
		return nil, fs.err(name)
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		dir = filepath.Dir(name)
	}
	r := reader{
		table:  &table{faults: fs, keys: tree},
		places: places{dir: dir, credentials: os.Getenv("CREDENTIALS_DIRECTORY")},
	}
	c := r.config()
	if err := fs.err(name); err != nil {
		return nil, err
	}
	return c, nil
}

// syntax makes a fault of what the TOML library refused.
func syntax(err error) Fault {
	var p toml.ParseError
	if errors.As(err, &p) {
		return Fault{Line: p.Position.Line, Key: p.LastKey, Text: p.Message}
	}
	return Fault{Text: err.Error()}
}

func unreadable(path string, err error) error {
	return &Error{File: path, Faults: []Fault{{Text: errors.Unwrap(cause(path, err)).Error()}}}
}
