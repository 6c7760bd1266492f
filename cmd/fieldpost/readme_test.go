package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	must(t, err)
	return string(b)
}

// code gives the code blocks of a document, and its spans of code.
func code(document string) (blocks, spans []string) {
	rest := document
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(document, -1) {
		blocks = append(blocks, m[1])
		rest = strings.Replace(rest, m[0], "", 1)
	}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(rest, -1) {
		spans = append(spans, m[1])
	}
	return blocks, spans
}

// commandsOf gives the command lines of this program in a piece of shell.
func commandsOf(shell string) [][]string {
	shell = strings.ReplaceAll(shell, "\\\n", " ")
	shell = strings.ReplaceAll(shell, "go run ./cmd/fieldpost", "fieldpost")
	var all [][]string
	for _, words := range shellWords(shell) {
		for len(words) > 0 && (words[0] == "sudo" || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
		if len(words) > 2 && words[0] == "-u" { // of sudo
			words = words[2:]
		}
		if len(words) > 1 && words[0] == "fieldpost" {
			all = append(all, words[1:])
		}
	}
	return all
}

// shellWords cuts shell into simple commands and their words: quotes hold, a
// comment, a pipe, a redirection, && and $( end a command.
func shellWords(shell string) [][]string {
	var all [][]string
	var words []string
	for line := range strings.Lines(shell) {
		for _, w := range regexp.MustCompile(`'[^']*'|"[^"]*"|#.*|&&|\$\(|[|;>)]+|[^\s'"|;>&$)]+|.`).FindAllString(line, -1) {
			switch {
			case strings.TrimSpace(w) == "":
			case w == "&&" || w == "$(" || strings.Trim(w, "|;>)") == "" || strings.HasPrefix(w, "#"):
				all, words = append(all, words), nil
			default:
				words = append(words, strings.Trim(w, `'"`))
			}
		}
		all, words = append(all, words), nil
	}
	return all
}

// parses says whether a command line is one of this program: its verb, its flags
// and the number of its arguments.
func parses(args []string) error {
	cmd, rest, err := newRoot(terminal{}).Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if asked, _ := cmd.Flags().GetBool("help"); asked {
		return nil
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestREADMECommandsExist(t *testing.T) {
	blocks, spans := code(readme(t))
	seen := 0
	for _, shell := range slices.Concat(blocks, spans) {
		for _, line := range commandsOf(shell) {
			seen++
			if err := parses(line); err != nil {
				t.Errorf("fieldpost %s: %v", strings.Join(line, " "), err)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d commands were found in README.md", seen)
	}
}

func TestREADMEFlagsExist(t *testing.T) {
	flags := map[string]bool{}
	each(newRoot(terminal{}), func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		for _, set := range []interface{ FlagUsages() string }{cmd.LocalFlags()} {
			for _, m := range regexp.MustCompile(`--[a-z-]+`).FindAllString(set.FlagUsages(), -1) {
				flags[m] = true
			}
		}
	})
	_, spans := code(readme(t))
	seen := 0
	for _, span := range spans {
		if !strings.HasPrefix(span, "--") {
			continue
		}
		seen++
		if name, _, _ := strings.Cut(span, " "); !flags[name] {
			t.Errorf("README.md names the flag %s, which no verb has", name)
		}
	}
	if seen < 4 {
		t.Errorf("only %d flags were found in README.md", seen)
	}
}

// request is a call that README.md shows with curl.
type request struct{ method, path string }

// curls gives the requests of a piece of shell.
func curls(shell string) []request {
	var all []request
	for _, words := range shellWords(strings.ReplaceAll(shell, "\\\n", " ")) {
		i := slices.Index(words, "curl")
		if i < 0 {
			continue
		}
		r := request{method: http.MethodGet}
		for j, w := range words {
			switch {
			case strings.HasPrefix(w, "localhost:8080/"):
				r.path, _, _ = strings.Cut(strings.TrimPrefix(w, "localhost:8080"), "?")
			case w == "-d" || w == "--data-binary":
				r.method = http.MethodPost
			case w == "-X":
				r.method = words[j+1]
			}
		}
		all = append(all, r)
	}
	return all
}

func TestREADMERequestsExist(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	resp, err := http.Get(b.url + "/api/v1/openapi.json")
	must(t, err)
	defer resp.Body.Close()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&document))
	served := func(r request) error {
		for template, methods := range document.Paths {
			pattern := regexp.MustCompile(`\\\{[^/]*\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
			if !regexp.MustCompile("^" + pattern + "$").MatchString(r.path) {
				continue
			}
			if methods[strings.ToLower(r.method)] != nil {
				return nil
			}
		}
		return errors.New("the API has no such operation")
	}
	blocks, spans := code(readme(t))
	seen := 0
	for _, shell := range blocks {
		for _, r := range curls(shell) {
			seen++
			if err := served(r); err != nil {
				t.Errorf("curl %s %s: %v", r.method, r.path, err)
			}
		}
	}
	if seen < 9 {
		t.Errorf("only %d requests were found in README.md", seen)
	}
	for _, path := range spans {
		if !regexp.MustCompile(`^/[a-z0-9/.]+$`).MatchString(path) {
			continue
		}
		resp, err := http.Get(b.url + path)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("README.md names %s, which answers %s", path, resp.Status)
		}
	}
}

func TestShellWords(t *testing.T) {
	got := fmt.Sprintf("%q", commandsOf("sudo fieldpost detect  # the modems\nTOKEN=$(sudo fieldpost token create office --scope a,b)\n"+
		"fieldpost send 099 \"Hello, you\" -c x && fieldpost check-config >> f; ls | fieldpost upload -\nfieldpost"))
	want := `[["detect"] ["token" "create" "office" "--scope" "a,b"] ["send" "099" "Hello, you" "-c" "x"] ["check-config"] ["upload" "-"]]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParsesRefusesWhatIsNoCommand(t *testing.T) {
	for _, line := range []string{
		"frob", "queue frob", "queue --frob", "explain", "explain 1 2", "dialer start", "send 099", "run --config", "queue --limit x",
	} {
		if parses(strings.Fields(line)) == nil {
			t.Errorf("fieldpost %s would pass in README.md", line)
		}
	}
}
