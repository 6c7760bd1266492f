package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/config"
)

// good is a row that every file of these tests has too: it must not be lost.
func good(i int) string { return fmt.Sprintf("test1;09%07d;Good %d;9999", 2_000_000+i, i) }

func TestBadRowsOfABaseAreNamedByLineAndTheGoodOnesAreSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{modems: 2})
	h.started("test1")
	var want []string
	for i, c := range []struct {
		name string
		file string // %s = two good rows, one in front of and one behind what is bad
		line int    // at fault; 0 = none: the row is kept
		say  string // of the reason
	}{
		{"too few columns", "%s\ntest1;098344484;Hi\n%s\n", 2, "has 3 columns, not campaign;destination;message;priority"},
		{"no columns", "%s\nwhat is this\n%s\n", 2, "has 1 columns"},
		{"unknown campaign", "%s\nnobody;098344484;Hi;1\n%s\n", 2, "campaign: "},
		{"no destination", "%s\ntest1;;Hi;1\n%s\n", 2, "destination: is missing"},
		{"empty text", "%s\ntest1;098344484;;1\n%s\n", 2, "message: "},
		{"over-long text", "%s\ntest1;098344484;" + strings.Repeat("x", 2000) + ";1\n%s\n", 2, "message: "},
		{"priority", "%s\ntest1;098344484;Hi;soon\n%s\n", 2, `priority: "soon" is no number from 0 to 65535`},
		{"priority too large", "%s\ntest1;098344484;Hi;65536\n%s\n", 2, "priority: "},
		{"text behind a quote", "%s\ntest1;098344484;\"Hi\" there;1\n%s\n", 2, "a closing quote must be followed by ; or the end of the line"},
		{"quote never closed", "%s\ntest1;098344484;\"Hi;1\n%s\n", 2, "a quote is opened and not closed"},
		{"wrong byte in a UTF-8 file", "%s;áéíóú\ntest1;098344484;H\xEDola;1\n%s\n", 2, "is not UTF-8, as the rest of the file is"},
		{"line of 10 MB", "%s\ntest1;098344484;" + strings.Repeat("x", 10<<20) + ";1\n%s\n", 2, "the row is longer than 64 KiB"},
		{"letters in a number", "%s\ntest1;call-me;Hi;1\n%s\n", 0, ""},
		{"header and blank lines", "Campign;Destiny;Menssage;Priority\r\n%s\r\n\r\n%s", 0, ""},
	} {
		a, b := 2*i, 2*i+1
		want = append(want, fmt.Sprintf("Good %d", a), fmt.Sprintf("Good %d", b))
		u := h.base("test1", fmt.Sprintf(c.file, good(a), good(b)))
		switch {
		case u.State != "done":
			t.Errorf("%s: the upload says %+v", c.name, u)
		case c.line == 0 && u.RejectedTotal != 0:
			t.Errorf("%s: rejected %+v", c.name, u.Rejected)
		case c.line > 0 && (u.Accepted != 2 || u.RejectedTotal != 1 || u.Rejected[0].Line != c.line || !strings.Contains(u.Rejected[0].Reason, c.say)):
			t.Errorf("%s: accepted %d, rejected %+v", c.name, u.Accepted, u.Rejected)
		}
	}
	c := h.processed("test1")
	if c.Other != 1 || c.ByStatus["invalid"] != 1 { // P140: the number with letters
		t.Errorf("the counters are %+v", c)
	}
	air := h.aired()
	slices.Sort(air)
	slices.Sort(want)
	if !slices.Equal(air, want) {
		t.Errorf("on the air: %q", air)
	}
}

func TestWhatIsNoBaseIsRefusedWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{sections: `max_base = "1MiB"`})
	h.started("test1")
	binary := "\x7fELF\x02\x01\x01\x00\x00\x00" + strings.Repeat("\x00\xff\n", 100)
	for _, c := range []struct{ name, campaign, file, say string }{
		{"empty", "test1", "", "empty"},
		{"only a mark", "test1", "\xEF\xBB\xBF", "empty"},
		{"binary", "test1", binary, "text"},
		{"UTF-16", "test1", "\xFF\xFEt\x00e\x00s\x00t\x00", "UTF-16"},
		{"a spreadsheet", "test1", "PK\x03\x04" + binary, "save it as CSV"},
		{"too large", "test1", strings.Repeat(good(1)+"\n", 40_000), "the body has more than 1048576 bytes"},
		{"unknown campaign", "nobody", good(1), "no campaign or dialer has this name"},
	} {
		u, err := h.UploadBase(t.Context(), c.campaign, client.File{Reader: strings.NewReader(c.file)})
		if err == nil {
			u = h.loaded(u)
		}
		if said := fmt.Sprint(err, u.Error); err == nil && u.State != "failed" || !strings.Contains(said, c.say) {
			t.Errorf("%s: got %v, %+v", c.name, err, u)
		}
	}
	if c := h.counters("test1"); c.Uploaded != 0 {
		t.Errorf("something was added: %+v", c)
	}
	h.base("test1", good(1))
	h.processed("test1")
	if air := h.aired(); !slices.Equal(air, []string{"Good 1"}) {
		t.Errorf("on the air: %q", air)
	}
}

func TestTheSameFileWithTheSameUploadIDAddsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.dialer("test1")
	hand := func(rows string) (client.Upload, error) {
		return h.UploadBase(t.Context(), "test1", client.File{Reader: strings.NewReader(rows), Upload: "november"})
	}
	for range 3 {
		u, err := hand(numbered("test1", 5))
		must(t, err)
		if u = h.loaded(u); u.Accepted != 5 {
			t.Errorf("the upload says %+v", u)
		}
	}
	if _, err := hand(numbered("test1", 6)); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("another file with this id: %v", err)
	}
	h.stop()
	h.start()
	u, err := hand(numbered("test1", 5))
	must(t, err)
	h.loaded(u)
	if c := h.counters("test1"); c.Uploaded != 5 {
		t.Errorf("the counters are %+v", c)
	}
}

func TestBadConfigurationNamesEveryLineAndKeyAtOnce(t *testing.T) {
	t.Parallel()
	bad := `version = 1
colour = "red"
[site]
id = "branch-12"
region = "ZZ"
time_zone = "Mars/Olympus"
[http]
listen = "nowhere"
trusted = ["10.0.0.0/99"]
[[provider]]
name = "bank one"
type = "GMS"
[[provider]]
name = "bank"
type = "GSM"
pattern = "("
rate = -1
[[provider.port]]
port = 32
device = "ttyUSB0"
speed = 9600
`
	_, err := config.Parse("fieldpost.toml", []byte(bad))
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{
		"2: colour", "5: site.region", "6: site.time_zone", "8: http.listen", "9: http.trusted", "11: provider.name", "12: provider.type",
		"16: provider.pattern", "17: provider.rate", "19: provider.port.port", "20: provider.port.device", "21: provider.port.speed",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not name %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}
