package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"fieldpost/gateway"
)

// maxSecret is the largest secret, in bytes.
const maxSecret = 4096

// forTheDaemon says how a secret is kept: the installer is root, and the daemon is not.
const forTheDaemon = "chmod it 0640, with the daemon's group (chgrp fieldpost), or 0600 where the daemon's user owns it"

// places is where files that the configuration names are looked for.
type places struct {
	dir         string // of the configuration
	credentials string // systemd's, "" = none
}

// path makes a name relative to the configuration's directory whole.
func (p places) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir, name)
}

// secret reads the secret in the file that a key names; "" when the key is absent.
func (t *table) secret(key string, p places) gateway.Secret {
	name := t.text(key, "")
	if name == "" {
		if t.has(key) {
			t.add(t.at(key), "must name the file that holds the secret")
		}
		return ""
	}
	s, err := p.secret(name)
	if err != nil {
		t.add(t.at(key), "%v", err)
	}
	return s
}

func (p places) secret(name string) (gateway.Secret, error) {
	if p.credentials != "" && filepath.Base(name) == name {
		s, err := readSecret(filepath.Join(p.credentials, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	path := p.path(name)
	s, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is not there: write the secret into it, and "+forTheDaemon, path)
	}
	return s, err
}

// readSecret reads one line from a regular file that not everybody may read. The
// open does not block, so that a pipe in its place cannot hold up the start.
func readSecret(path string) (gateway.Secret, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%w: "+forTheDaemon, cause(path, err))
	}
	if err != nil {
		return "", cause(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", cause(path, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	if info.Mode().Perm()&0o004 != 0 {
		return "", fmt.Errorf("everybody may read %s: "+forTheDaemon, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", cause(path, err)
	}
	s := strings.TrimRight(string(data), "\r\n")
	switch {
	case len(s) > maxSecret:
		return "", fmt.Errorf("%s is longer than %d bytes: it must hold the secret and nothing else", path, maxSecret)
	case s == "":
		return "", fmt.Errorf("%s is empty", path)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("%s must hold one line of text", path)
	}
	return gateway.Secret(s), nil
}

// cause drops the name of the system call from a file's error and keeps the path.
func cause(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
