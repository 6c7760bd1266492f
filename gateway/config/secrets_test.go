package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fieldpost/gateway"
)

const hub = head + "[hub]\nbroker = \"tls://hub.example.com:8883\"\npassword_file = \"%s\"\n"

// parse reads a hub whose password file is named so, from a file in dir.
func parse(dir, name string) (*Config, error) {
	return Parse(filepath.Join(dir, "fieldpost.toml"), fmt.Appendf(nil, hub, name))
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestSecretIsReadBesideTheFileAndNeverPrinted(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pw"), "s3cret\n", 0o640)
	c, err := parse(dir, "pw")
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Hub.Password) != "s3cret" {
		t.Error("the password is another")
	}
	shown, err := json.Marshal(c.Hub)
	if err != nil {
		t.Fatal(err)
	}
	if all := string(shown) + fmt.Sprintf("%v %+v %#v", c.Hub, c.Hub, c.Hub); strings.Contains(all, "s3cret") {
		t.Errorf("the password is printed: %s", all)
	}
}

func TestCredentialsDirectoryComesFirstForBareNames(t *testing.T) {
	dir, creds := t.TempDir(), t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", creds)
	write(t, filepath.Join(dir, "pw"), "beside", 0o600)
	for _, step := range []struct{ name, want string }{{"pw", "beside"}, {"./pw", "beside"}} {
		c, err := parse(dir, step.name)
		if err != nil || string(c.Hub.Password) != step.want {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	write(t, filepath.Join(creds, "pw"), "credential", 0o400)
	for name, want := range map[string]string{"pw": "credential", "./pw": "beside"} {
		c, err := parse(dir, name)
		if err != nil || string(c.Hub.Password) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadSecretsAreRefusedWithTheReason(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "open"), "s3cret", 0o604)
	write(t, filepath.Join(dir, "empty"), "\n", 0o600)
	write(t, filepath.Join(dir, "lines"), "s3cret\nmore\n", 0o600)
	write(t, filepath.Join(dir, "large"), strings.Repeat("s3cret", maxSecret), 0o600)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"open":  "everybody may read",
		"empty": "is empty",
		"lines": "one line",
		"large": "longer than",
		"pipe":  "not a regular file",
		"none":  "chgrp fieldpost",
		"":      "must name the file",
	} {
		_, err := parse(dir, name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "fieldpost.toml:7: hub.password_file: ") {
			t.Errorf("%q gives %v, want %q", name, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the secret is printed: %v", err)
		}
		if gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%q: kind is %v", name, gateway.KindOf(err))
		}
	}
}
