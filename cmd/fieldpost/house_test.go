package main

// The repository tests itself: the floors that imports may only go down, the
// top level, and a word of documentation for each package. What each file must
// be like is in shape_test.go.

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors is the house: each package's floor. A package may import packages of
// lower floors only; siblings on one floor never meet.
var floors = map[string]int{
	"fieldpost/gateway":      0,
	"fieldpost/gateway/gsm7": 0,

	"fieldpost/gateway/config":         1,
	"fieldpost/gateway/numbers":        1,
	"fieldpost/modem/internal/at":      1,
	"fieldpost/modem/internal/dwgwire": 1,
	"fieldpost/modem/internal/tpdu":    1,

	"fieldpost/modem":          2,
	"fieldpost/gateway/client": 2,

	"fieldpost/spool":         3,
	"fieldpost/modem/dwg":     3,
	"fieldpost/modem/serial":  3,
	"fieldpost/modem/dinstar": 3,

	"fieldpost/gateway/internal/access":    4,
	"fieldpost/gateway/internal/catalog":   4,
	"fieldpost/gateway/internal/dialer":    4,
	"fieldpost/gateway/internal/intake":    4,
	"fieldpost/gateway/internal/sims":      4,
	"fieldpost/gateway/internal/optout":    4,
	"fieldpost/gateway/internal/reconcile": 4,

	"fieldpost/gateway/internal/api":     5,
	"fieldpost/gateway/internal/metrics": 5,

	"fieldpost/gateway/app": 6,

	"fieldpost/cmd/fieldpost": 7,
}

// sameFloor lists the pairs of one floor that may meet: gsm7 speaks the words.
var sameFloor = map[[2]string]bool{
	{"fieldpost/gateway/gsm7", "fieldpost/gateway"}: true,
}

// worlds are the simulators and the conformance suite: they stand outside the
// house, import what they need below the drivers, and only tests and the verbs
// demo, simulate and bench may import them.
var worlds = map[string]bool{
	"fieldpost/modem/sim":       true,
	"fieldpost/modem/modemtest": true,
}

// listed is what go list says of one package.
type listed struct {
	ImportPath string
	Doc        string
	Imports    []string
	GoFiles    []string
}

func TestFloors(t *testing.T) {
	packages := list(t)
	for _, p := range packages {
		if worlds[p.ImportPath] {
			for _, imp := range ours(p.Imports) {
				if floors[imp] > 2 {
					t.Errorf("%s imports %s: a simulated world may use floors 0 to 2 only", p.ImportPath, imp)
				}
			}
			continue
		}
		floor, ok := floors[p.ImportPath]
		if !ok {
			t.Errorf("%s has no floor: name it in floors, in the order of the house", p.ImportPath)
			continue
		}
		for _, imp := range ours(p.Imports) {
			if worlds[imp] {
				if p.ImportPath != "fieldpost/cmd/fieldpost" {
					t.Errorf("%s imports %s: simulators never stand in the product's path", p.ImportPath, imp)
				}
				continue
			}
			if floors[imp] >= floor && !sameFloor[[2]string{p.ImportPath, imp}] {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports only point down", p.ImportPath, floor, imp, floors[imp])
			}
		}
	}
	for name := range floors {
		if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == name }) {
			t.Errorf("%s has a floor and does not exist", name)
		}
	}
}

// TestSimulatorsServeTheirVerbsOnly: a verb that an installer runs never reaches
// a simulated device.
func TestSimulatorsServeTheirVerbsOnly(t *testing.T) {
	verbs := []string{"demo", "simulate", "bench", "ledger"}
	for _, s := range product(t) {
		if s.dir != "cmd/fieldpost" {
			continue
		}
		verb, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(s.path), ".go"), "_")
		for _, imp := range s.file.Imports {
			if worlds[strings.Trim(imp.Path.Value, `"`)] && !slices.Contains(verbs, verb) {
				t.Errorf("%s imports %s: only the verbs demo, simulate and bench may", s.path, imp.Path.Value)
			}
		}
	}
}

func TestGatewayImportsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != "fieldpost/gateway" {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") || strings.HasPrefix(imp, "fieldpost/") {
				t.Errorf("package gateway imports %s", imp)
			}
		}
		return
	}
	t.Fatal("package gateway is not listed")
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range list(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package documentation", p.ImportPath)
		}
	}
}

func TestTopLevel(t *testing.T) {
	may := []string{
		"cmd", "gateway", "modem", "spool", "sync", "configs", "systemd", "go.mod", "README.md",
		"go.sum", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md",
	}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		built := e.Name() == "fieldpost" || e.Name() == "bin" // as .gitignore says
		if !strings.HasPrefix(e.Name(), ".") && !built && !slices.Contains(may, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}

func ours(imports []string) []string {
	return slices.DeleteFunc(slices.Clone(imports), func(s string) bool { return !strings.HasPrefix(s, "fieldpost/") })
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,GoFiles", "fieldpost/...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
}

// root is the top of the repository: the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}
