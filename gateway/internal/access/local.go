package access

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fieldpost/gateway"
)

// localID is the id of the local admin token.
const localID = "local"

// writeLocal makes the local admin token and writes it where only the service's
// own user and root can read it. A file that was there is replaced whole.
func (g *Guard) writeLocal() error {
	if g.file == "" {
		return nil
	}
	secret := newSecret()
	f, err := os.CreateTemp(filepath.Dir(g.file), ".admin-*") // mode 0600
	if err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "the local admin token cannot be written: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), g.file)
	}
	if err != nil {
		return errors.Join(
			gateway.Errorf(gateway.KindUnavailable, "the local admin token cannot be written: %w", err),
			os.Remove(f.Name()))
	}
	g.local, g.hasFile = sha256.Sum256([]byte(secret)), true
	return nil
}

// removeLocal takes the file away, unless a guard that was opened since has put its
// own token there: a Close that comes late must not shut the box to its verbs.
func (g *Guard) removeLocal() error {
	if !g.hasFile {
		return nil
	}
	secret, err := os.ReadFile(g.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && sha256.Sum256(bytes.TrimSpace(secret)) != g.local:
		return nil
	}
	if err := os.Remove(g.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
