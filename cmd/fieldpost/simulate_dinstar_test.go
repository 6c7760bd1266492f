package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"
)

// rack is a gateway that the verb serves.
type rack struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
	code  chan int
}

// serveDinstar runs the verb in this process until stop.
func serveDinstar(t *testing.T, args ...string) *rack {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	out, in := io.Pipe()
	r := &rack{t: t, lines: bufio.NewScanner(out), stop: stop, code: make(chan int, 1)}
	go func() {
		code := execute(ctx, terminal{in: strings.NewReader(""), out: in, err: io.Discard}, append([]string{"simulate", "dinstar"}, args...))
		in.CloseWithError(io.EOF)
		r.code <- code
	}()
	t.Cleanup(func() {
		stop()
		_ = out.Close()
	})
	return r
}

// until reads what the verb says up to a line that matches.
func (r *rack) until(pattern string) []string {
	r.t.Helper()
	expr := regexp.MustCompile(pattern)
	for r.lines.Scan() {
		if m := expr.FindStringSubmatch(r.lines.Text()); m != nil {
			return m
		}
	}
	r.t.Fatalf("no line is like %s", pattern)
	return nil
}

func TestSimulateDinstarServesAGatewayAndKeepsTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "air.jsonl")
	for before := range 2 {
		r := serveDinstar(t, "--listen", "127.0.0.1:0", "--ports", "2", "--latency", "0s", "--reports", "0s", "--ledger", path)
		login := r.until(`^(http://127\.0\.0\.1:\d+)  sn \S+  digest login  user admin  password (\S{20,})$`)
		r.until("^ready")
		transport := &http.Transport{}
		client := &http.Client{Transport: &digest.Transport{Username: "admin", Password: login[2], Transport: transport}}
		ask := func(path, body, want string) bool {
			t.Helper()
			res, err := client.Post(login[1]+"/api/"+path, "application/json", strings.NewReader(body))
			must(t, err)
			data, err := io.ReadAll(res.Body)
			must(t, err)
			must(t, res.Body.Close())
			return strings.Contains(string(data), want)
		}
		if !ask("send_sms", `{"text":"hola","param":[{"number":"099000001","user_id":1}]}`, `"error_code":202`) {
			t.Fatal("the message was not accepted")
		}
		for end := time.Now().Add(patience); !ask("query_sms_result", `{"user_id":[1]}`, `"DELIVERED"`); {
			if time.Now().After(end) {
				t.Fatal("the message was never delivered")
			}
		}
		transport.CloseIdleConnections()
		r.stop()
		want := "^on the air: 1 segment, 1 message complete$"
		if before == 1 {
			want = "^on the air: 2 segments, 2 messages complete$"
		}
		r.until(want)
		if code := <-r.code; code != exitDone {
			t.Errorf("exit code %d", code)
		}
	}
}

func TestSimulateDinstarDoesNotRepeatAPassword(t *testing.T) {
	r := serveDinstar(t, "--listen", "127.0.0.1:0", "--ports", "1", "--password", "geheim", "--auth", "basic")
	if line := r.until("basic login")[0]; line == "" {
		t.Error("the login is not shown")
	}
	if strings.Contains(r.lines.Text(), "geheim") {
		t.Errorf("it says %s", r.lines.Text())
	}
	r.stop()
	r.until("^on the air: 0 segments")
	if code := <-r.code; code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestSimulateDinstarCompletesItsLogins(t *testing.T) {
	inside(t, "", "__complete", "simulate", "dinstar", "--auth", "").wants(t, exitDone, "digest\nbasic\n")
}

func TestSimulateDinstarNamesABadFlag(t *testing.T) {
	for args, want := range map[string]string{
		"--ports 33":         "--ports: is 33",
		"--listen 8081":      "--listen:",
		"--user a:b":         "--user:",
		"--auth ntlm":        "--auth:",
		"--latency -1s":      "--latency: is -1s",
		"--reports -1s":      "--reports: is -1s",
		"--jitter 2":         "--jitter: is 2",
		"--refuse 2":         "--refuse: is 2",
		"--lose -1":          "--lose: is -1",
		"--push example/sms": "--push:",
	} {
		inside(t, "", append([]string{"simulate", "dinstar"}, strings.Fields(args)...)...).wants(t, exitUsage, want)
	}
}
