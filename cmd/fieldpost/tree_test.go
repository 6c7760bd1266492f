package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"fieldpost/gateway/config"
	"fieldpost/modem/serial"
)

// each visits every verb, without those that cobra adds.
func each(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		each(sub, visit)
	}
}

func TestEveryVerbHelps(t *testing.T) {
	verbs := 0
	each(newRoot(terminal{}), func(cmd *cobra.Command) {
		verbs++
		args := strings.Fields(cmd.CommandPath())[1:]
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			inside(t, "", append(args, "--help")...).wants(t, exitDone, "Usage:", cmd.CommandPath())
			takes := strings.ContainsAny(strings.TrimPrefix(cmd.Use, cmd.Name()), "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			if takes && !strings.Contains(cmd.Example, cmd.CommandPath()) {
				t.Error("it takes arguments and has no example")
			}
			if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
				t.Errorf("its short help is %q", cmd.Short)
			}
			inside(t, "", append(args, "--frobnicate")...).wants(t, exitUsage, "--frobnicate", cmd.CommandPath()+" --help")
			if !strings.HasSuffix(cmd.Use, "...") {
				inside(t, "", append(args, "a", "b", "c", "d")...).wants(t, exitUsage, cmd.CommandPath()+" --help")
			}
		})
	})
	if verbs < 25 {
		t.Errorf("only %d verbs were seen", verbs)
	}
}

func TestEveryVerbIsInTheHelpOfTheProgram(t *testing.T) {
	help := inside(t, "", "--help").wants(t, exitDone).out
	readme := readme(t)
	for _, cmd := range newRoot(terminal{}).Commands() {
		if !regexp.MustCompile(`(?m)^  ` + cmd.Name() + ` +\S`).MatchString(help) {
			t.Errorf("the help does not name %s", cmd.Name())
		}
		for _, sub := range cmd.Commands() {
			if !strings.Contains(inside(t, "", cmd.Name(), "--help").out, "  "+sub.Name()+" ") {
				t.Errorf("the help of %s does not name %s", cmd.Name(), sub.Name())
			}
		}
		if everyday[cmd.Name()] && !strings.Contains(readme, "fieldpost "+cmd.Name()) {
			t.Errorf("README.md does not show %s", cmd.Name())
		}
	}
}

// everyday are the verbs that an operator uses: README.md shows each.
var everyday = map[string]bool{
	"check-config": true, "detect": true, "status": true, "send": true, "upload": true, "queue": true, "explain": true,
	"channels": true, "blacklist": true, "campaign": true, "dialer": true, "token": true,
}

func TestExamplesOfTheHelpParse(t *testing.T) {
	each(newRoot(terminal{}), func(cmd *cobra.Command) {
		for _, line := range commandsOf(cmd.Example) {
			if err := parses(line); err != nil {
				t.Errorf("%s: its example %q: %v", cmd.CommandPath(), line, err)
			}
		}
	})
}

func TestExampleOfTheConfigurationLoads(t *testing.T) {
	out := child(t, "check-config", "--example").wants(t, exitDone).out
	dir := t.TempDir()
	path := filepath.Join(dir, "fieldpost.toml")
	must(t, os.WriteFile(path, []byte(out), 0o600))
	for _, m := range regexp.MustCompile(`"([^"\n]*fieldpost [a-z][^"\n]*)"|: (fieldpost [a-z-]+ \S+)\n`).FindAllStringSubmatch(out, -1) {
		for _, line := range commandsOf(m[1] + m[2]) {
			if cmd, rest, err := newRoot(terminal{}).Find(line); err != nil || len(rest) > 0 && cmd.ValidateArgs(rest) != nil {
				t.Errorf("it names fieldpost %s, which is no command", strings.Join(line, " "))
			}
		}
	}
	child(t, "check-config", "--config", path).wants(t, exitDone, path+" is good: site ")
	if _, err := config.Load(path); err != nil {
		t.Error(err)
	}
}

func TestJSONWithoutADaemon(t *testing.T) {
	var b build
	must(t, json.Unmarshal([]byte(inside(t, "", "version", "--json").wants(t, exitDone).out), &b))
	if b.Version != version || b.Go == "" || b.Platform == "" {
		t.Errorf("version --json: %+v", b)
	}
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.toml")
	must(t, os.WriteFile(bad, []byte("version = 1\n[site]\nid = \"x y\"\nregion = \"UY\"\n"), 0o600))
	var c checked
	must(t, json.Unmarshal([]byte(inside(t, "", "check-config", "--config", bad, "--json").wants(t, exitConfig).out), &c))
	if c.Good || len(c.Faults) != 1 || c.Faults[0].Line != 3 || c.Faults[0].Key != "site.id" {
		t.Errorf("check-config --json: %+v", c)
	}
}

// detect itself asks whatever is plugged into this machine: what it prints is tried here.
func TestDetectSaysWhatItFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		found []serial.Found
		code  int
		out   string
		err   string
	}{
		{"no port", nil, exitFault, "", "this box has no serial port"},
		{"a port and no modem", []serial.Found{{Port: serial.PortInfo{Path: "/dev/ttyS0"}, Problem: "no modem\x1b[2J answers"}}, exitFault,
			"", "/dev/ttyS0: no modem\uFFFD[2J answers\nno modem answers on the serial ports of this box (1)"},
		{"a modem", []serial.Found{{Port: serial.PortInfo{Path: "/dev/ttyUSB2"}, Model: "EC25\nx", SIM: "ready", Operator: "Antel", Best: true}}, exitDone,
			"[[provider]]\nname = \"bank\"\ntype = \"GSM\"\nreport = true\n\n# EC25 x, SIM ready, Antel\n[[provider.port]]\nport = 0\ndevice = \"/dev/ttyUSB2\"\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs strings.Builder
			err := printDetected(terminal{out: &out, err: &errs}, c.found)
			code := exitDone
			if err != nil {
				code = exitCode(err)
				errs.WriteString(err.Error())
			}
			if code != c.code || out.String() != c.out || !strings.Contains(errs.String(), c.err) {
				t.Errorf("exit %d, output %q, errors %q", code, out.String(), errs.String())
			}
		})
	}
}
