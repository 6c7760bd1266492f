package config

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
)

var update = flag.Bool("update", false, "write the golden files anew")

const samples = "../../configs"

func TestSampleConfigsLoad(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(samples, "*.toml"))
	if err != nil || len(found) < 3 {
		t.Fatalf("found %d sample files (%v), want fieldpost.toml, minimal.toml and demo.toml", len(found), err)
	}
	for _, path := range found {
		if _, err := Load(path); err != nil {
			t.Errorf("%v", err)
		}
	}
}

func TestEveryReleasedVersionLoads(t *testing.T) {
	for v := 1; v <= Version; v++ {
		if _, err := Load(filepath.Join("testdata", fmt.Sprintf("v%d.toml", v))); err != nil {
			t.Error(err)
		}
	}
}

func TestExampleIsTheSampleFile(t *testing.T) {
	text, err := Example()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(samples, "fieldpost.toml"), text)
}

var commented = regexp.MustCompile(`(?m)^#((?:\[+)?[a-z_.]+(?: = .*|\]+.*)?)$`)

func TestExampleHoldsEveryKey(t *testing.T) {
	text, err := Example()
	if err != nil {
		t.Fatal(err)
	}
	full := commented.ReplaceAllString(text, "$1")
	_, err = Parse("full.toml", []byte(full))
	if err != nil && strings.Contains(err.Error(), "is not known") {
		t.Errorf("the example has a key that is not read: %v", err)
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^//\t\[+([a-z.]+)\]+ +(.*)$`).FindAllStringSubmatch(string(doc), -1) {
		for _, key := range strings.Split(line[2], ", ") {
			as := regexp.MustCompile(`(?m)^(?:` + key + ` = |\[[a-z]+\.` + key + `\])`)
			if !as.MatchString(full) {
				t.Errorf("[%s] %s is not in the example", line[1], key)
			}
		}
	}
}

func TestExampleShowsTheDefaults(t *testing.T) {
	text, err := Example()
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(text, "# The company's hub")
	before = commented.ReplaceAllString(before, "$1")
	got, err := Parse("x.toml", []byte(before))
	if err != nil {
		t.Fatal(err)
	}
	if d := Default(); fmt.Sprint(got.Storage, got.HTTP) != fmt.Sprint(d.Storage, d.HTTP) {
		t.Errorf("the example's values\n%v %v\nare not the defaults\n%v %v", got.Storage, got.HTTP, d.Storage, d.HTTP)
	}
}

func TestWrongFilesSayEverythingThatIsWrong(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.toml")
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d wrong files (%v)", len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(path), data)
			if gateway.KindOf(err) != gateway.KindInvalid {
				t.Fatalf("got %v, want an error of kind invalid", err)
			}
			golden(t, strings.TrimSuffix(path, ".toml")+".txt", err.Error()+"\n")
		})
	}
}

// golden compares a text with a file, or writes the file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\n%s holds\n%s", got, path, want)
	}
}

const head = "version = 1\n[site]\nid = \"b\"\nregion = \"UY\"\n"

func TestValuesAreRead(t *testing.T) {
	c, err := Parse("x.toml", []byte(head+`time_zone = "America/Montevideo"
[http]
listen = [":8080", "[::1]:9090"]
trusted = ["192.0.2.7", "198.51.100.9/24"]
[sending]
resend_after = "90m"
valid_for = { base = "3d" }
[[provider]]
name = "bank"
type = "GSM"
pattern = '\+598\d+'
limits = { per_day = 200 }
enabled = false
port = [{ port = 3, device = "/dev/ttyUSB3" }]
[[sim]]
iccid = "8959801234567890123"
limits.recipients_per_month = 90
`))
	if err != nil {
		t.Fatal(err)
	}
	p := c.Providers[0]
	if p.Limits.PerDay != 200 || p.Ports[0].Port != 3 || !p.Managed || !p.Disabled() {
		t.Errorf("provider is %+v", p)
	}
	if c.Sending.ResendAfter != 90*time.Minute || c.Sending.ValidFor.Base != 72*time.Hour || c.Sending.ValidFor.Single != 24*time.Hour {
		t.Errorf("sending is %+v", c.Sending)
	}
	want := []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("198.51.100.0/24")}
	if !slices.Equal(c.HTTP.Trusted, want) || len(c.HTTP.Listen) != 2 {
		t.Errorf("http is %+v", c.HTTP)
	}
	if c.Site.Zone.String() != "America/Montevideo" || c.SIMs[0].Limits.RecipientsPerMonth != 90 {
		t.Errorf("site is %+v, sims are %+v", c.Site, c.SIMs)
	}
}

func TestAGatewayServesOneProviderOfTheFile(t *testing.T) {
	file := func(second string) error {
		_, err := Parse("x.toml", []byte(head+`[[provider]]
name = "one"
type = "DinstarWeb"
url = "http://192.0.2.20"
[[provider]]
name = "two"
type = "DinstarWeb"
`+second))
		return err
	}
	if err := file("url = \"http://192.0.2.20:80/\"\n"); err == nil || !strings.Contains(err.Error(), "provider.url: provider one has http://192.0.2.20 already") {
		t.Errorf("one gateway in two providers gives %v", err)
	}
	for _, second := range []string{"url = \"http://192.0.2.21\"\n", "url = \"http://192.0.2.20:80/\"\nenabled = false\n"} {
		if err := file(second); err != nil {
			t.Errorf("%s gives %v", second, err)
		}
	}
}

func TestAGatewayThatDialsInNeedsAPassword(t *testing.T) {
	_, err := Parse("x.toml", []byte(head+"[[provider]]\nname = \"rack\"\ntype = \"Dinstar\"\nurl = \"192.0.2.2\"\nuser = \"admin\"\n"))
	for _, want := range []string{"provider.password_file: is missing", "provider.url: must have the form tcp://host:port"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAGatewayThatPushesNeedsASecretAndAnAddress(t *testing.T) {
	dir := t.TempDir()
	push := func(url, secret string) error {
		if err := os.WriteFile(filepath.Join(dir, "push.secret"), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		file := ""
		if secret != "" {
			file = "push_secret_file = \"push.secret\"\n"
		}
		_, err := Parse(filepath.Join(dir, "x.toml"), []byte(head+"[[provider]]\nname = \"rack\"\ntype = \"DinstarWebPush\"\nurl = \""+url+"\"\n"+file))
		return err
	}
	if err := push("http://192.0.2.20", "0123456789abcdef0123456789abcdef"); err != nil {
		t.Errorf("a sound provider is refused: %v", err)
	}
	for says, err := range map[string]error{
		"provider.push_secret_file: is missing":                             push("http://192.0.2.20", ""),
		"provider.push_secret_file: has 7 characters and must have 16 to":   push("http://192.0.2.20", "letmein"),
		"provider.push_from: is missing: url names the gateway by a name, ": push("http://rack.example.com", "0123456789abcdef"),
	} {
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "letmein") {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	_, err := Parse(filepath.Join(dir, "x.toml"), []byte(head+"[[provider]]\nname = \"rack\"\ntype = \"DinstarWeb\"\nurl = \"http://192.0.2.20\"\npush_secret_file = \"push.secret\"\n"))
	if err == nil || strings.Count(err.Error(), "push_secret_file") != 1 || !strings.Contains(err.Error(), "a DinstarWeb provider has no push_secret") {
		t.Errorf("a type without pushes gives %v", err)
	}
}

func TestTrustedCanBeNone(t *testing.T) {
	c, err := Parse("x.toml", []byte(head+"[http]\ntrusted = []\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.HTTP.Trusted) != 0 {
		t.Errorf("trusted is %v, want none", c.HTTP.Trusted)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	c, err := Parse("/etc/fieldpost/x.toml", []byte(head+"[storage]\npath = \"spool.db\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Storage.Path != "/etc/fieldpost/spool.db" {
		t.Errorf("path is %s", c.Storage.Path)
	}
}

func TestLoadSaysWhyAFileCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.toml"): "no such file",
		dir:                             "not a regular file",
	} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) || gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("Load(%s) gives %v, want %q", path, err, want)
		}
	}
}

func TestFileIsBounded(t *testing.T) {
	if _, err := Parse("x.toml", []byte(strings.Repeat("#\n", maxFile))); err == nil {
		t.Error("a file without end was read")
	}
}

// The TOML library would need gigabytes for some of these.
func TestDeepNestingIsRefusedBeforeTheLibrarySeesIt(t *testing.T) {
	for name, text := range map[string]string{
		"dotted key":           strings.Repeat("a.", 60_000) + "a = 1",
		"header":               "[" + strings.Repeat("a.", 60_000) + "a]",
		"arrays":               "a = " + strings.Repeat("[\n", 60_000),
		"inline tables":        "a = " + strings.Repeat("{a = ", 20_000),
		"tables inside arrays": "a = " + strings.Repeat("{a = [\n", 15_000),
	} {
		if _, err := Parse("x.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), "levels deep") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestMigrationsRunOneStepAVersion(t *testing.T) {
	tree := map[string]any{"version": int64(1)}
	var ran []int
	err := migrate(tree, 3, map[int64]migration{
		2: func(map[string]any) { ran = append(ran, 2) },
		1: func(map[string]any) { ran = append(ran, 1) },
	})
	if err != nil || !slices.Equal(ran, []int{1, 2}) || tree["version"] != int64(3) {
		t.Errorf("ran %v to version %v (%v)", ran, tree["version"], err)
	}
	for _, v := range []any{int64(4), int64(0), "1", nil} {
		if err := migrate(map[string]any{"version": v}, 3, nil); err == nil {
			t.Errorf("version %v was taken", v)
		}
	}
}

func TestUnits(t *testing.T) {
	for s, want := range map[string]time.Duration{"30s": 30 * time.Second, "7d": 7 * day, "1h30m": 90 * time.Minute, "0s": 0} {
		if d, ok := parseDuration(s); !ok || d != want {
			t.Errorf("%q is %v, %v", s, d, ok)
		}
	}
	for _, s := range []string{"", "30", "0", "1.5d", "-1d", "x", "99999d"} {
		if d, ok := parseDuration(s); ok {
			t.Errorf("%q is taken as %v", s, d)
		}
	}
	for _, d := range []time.Duration{0, time.Second, 10 * time.Minute, day, 7 * day, 90 * time.Minute} {
		if back, ok := parseDuration(formatDuration(d)); !ok || back != d {
			t.Errorf("%v is written %s", d, formatDuration(d))
		}
	}
	for s, want := range map[string]int64{"64MiB": 64 << 20, "1 GiB": 1 << 30, "4KiB": 4096} {
		if n, ok := parseSize(s); !ok || n != want {
			t.Errorf("%q is %d, %v", s, n, ok)
		}
	}
	for _, s := range []string{"", "64", "64MB", "-1MiB", "9999999999999GiB"} {
		if n, ok := parseSize(s); ok {
			t.Errorf("%q is taken as %d", s, n)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "trusted", "max_body", "rate"}
	for typed, want := range map[string]string{"lisen": "listen", "Listen": "listen", "lsiten": "listen", "maxbody": "max_body", "port": "", "": ""} {
		if got := nearest(typed, known); got != want {
			t.Errorf("%q is near to %q, want %q", typed, got, want)
		}
	}
}
