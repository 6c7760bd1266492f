package access

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func store(t *testing.T) *spool.Spool {
	t.Helper()
	s, err := spool.Open(spool.Options{Path: filepath.Join(t.TempDir(), "spool.db")})
	must(t, err)
	t.Cleanup(func() {
		must(t, s.Check(context.Background()))
		must(t, s.Close())
	})
	return s
}

func open(t *testing.T, o Options) *Guard {
	t.Helper()
	if o.Store == nil {
		o.Store = store(t)
	}
	g, err := Open(o)
	must(t, err)
	return g
}

func (g *Guard) ask(from, auth string, header ...string) (Caller, error) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr, r.Host = from, "127.0.0.1"
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return g.Identify(r)
}

func TestATokenIsKnownAfterARestartAndItsSecretIsNotStored(t *testing.T) {
	s := store(t)
	g := open(t, Options{Store: s})
	made, secret, err := g.Create(t.Context(), "shop", Send|Read)
	must(t, err)
	docs, err := s.Docs(docKind)
	must(t, err)
	if len(docs) != 1 || strings.Contains(string(docs[0].Body), secret) || strings.Contains(string(docs[0].Body), secret[len(secret)-secretLen:]) {
		t.Fatalf("stored %s", docs[0].Body)
	}
	g = open(t, Options{Store: s})
	c, err := g.ask("203.0.113.9:1", "Bearer "+secret)
	must(t, err)
	if c.ID != made.ID || c.Name != "shop" || !c.May(Send) || !c.May(Read) || c.May(Admin) || c.Trusted {
		t.Errorf("got %+v", c)
	}
	must(t, g.Revoke(t.Context(), made.ID))
	if _, err := g.ask("203.0.113.9:1", "Bearer "+secret); gateway.KindOf(err) != gateway.KindUnauthorized {
		t.Errorf("revoked: %v", err)
	}
	if err := g.Revoke(t.Context(), made.ID); gateway.KindOf(err) != gateway.KindNotFound {
		t.Errorf("revoked twice: %v", err)
	}
}

func TestSecretsHave256BitsAndNeverRepeat(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := newSecret()
		b, err := lowerCase.DecodeString(s[len(s)-secretLen:])
		must(t, err)
		if len(s) != tokenLen || len(b)*8 < 256 || idOf(s) == "" || seen[s] {
			t.Fatalf("got %q", s)
		}
		seen[s] = true
	}
}

func TestTheLocalTokenIsForTheOwnerOfTheFileOnlyAndChangesAtEachStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "admin.token")
	s := store(t)
	g := open(t, Options{Store: s, File: file})
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	first, err := os.ReadFile(file)
	must(t, err)
	c, err := g.ask("203.0.113.9:1", "Bearer "+strings.TrimSpace(string(first)))
	if err != nil || c.ID != "local" || !c.May(Providers) {
		t.Errorf("got %+v, %v", c, err)
	}
	g = open(t, Options{Store: s, File: file})
	if _, err := g.ask("203.0.113.9:1", "Bearer "+strings.TrimSpace(string(first))); err == nil {
		t.Error("the token of the start before still works")
	}
	must(t, g.Close())
	must(t, g.Close())
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if _, err := Open(Options{Store: s, File: filepath.Join(file, "none", "admin.token")}); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestWithoutALocalFileNoEmptyTokenIsTheAdmin(t *testing.T) {
	g := open(t, Options{})
	for _, auth := range []string{"Bearer ", "Basic ", "Bearer x", "Basic Og==", "Digest abc", "Bearer " + strings.Repeat("a", 5000)} {
		if c, err := g.ask("203.0.113.9:1", auth); gateway.KindOf(err) != gateway.KindUnauthorized {
			t.Errorf("%.20q: %+v, %v", auth, c, err)
		}
	}
}

func TestTrustIsForWhoSitsAtTheAddress(t *testing.T) {
	g := open(t, Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")}})
	for _, from := range []string{"127.0.0.1:5", "127.9.9.9:5", "[::1]:5", "[::ffff:127.0.0.1]:5"} {
		c, err := g.ask(from, "")
		if err != nil || c.Scope != Read|Send || !c.Trusted {
			t.Errorf("%s: %+v, %v", from, c, err)
		}
		for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via", "Origin"} {
			if _, err := g.ask(from, "", h, "x"); gateway.KindOf(err) != gateway.KindUnauthorized {
				t.Errorf("%s with %s: %v", from, h, err)
			}
		}
		if _, err := g.ask(from, "", "Sec-Fetch-Site", "same-origin"); err == nil {
			t.Errorf("%s: a page is trusted", from)
		}
		if _, err := g.ask(from, "", "Sec-Fetch-Site", "none"); err != nil {
			t.Errorf("%s: a person at the address bar: %v", from, err)
		}
	}
	for _, from := range []string{"128.0.0.1:5", "[::2]:5", "nonsense", ""} {
		if _, err := g.ask(from, ""); gateway.KindOf(err) != gateway.KindUnauthorized {
			t.Errorf("%q: %v", from, err)
		}
	}
}

// A page of a website that has its own name point at a trusted address reads with a
// GET of its own origin: no header but Host tells it from a caller there.
func TestAReadUnderTheNameOfAWebsiteIsNotTrusted(t *testing.T) {
	g := open(t, Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}, Host: "Branch-12.example.com"})
	ask := func(method, host string) error {
		r := httptest.NewRequest(method, "http://x/", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:5", host
		_, err := g.Identify(r)
		return err
	}
	for _, host := range []string{
		"", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "[::1]", "localhost:8080", "LOCALHOST.", "sms.localhost",
		"branch-12", "branch-12.local:8080", "branch-12.example.com:8080", "gateway:8080",
	} {
		if err := ask("GET", host); err != nil {
			t.Errorf("%q: %v", host, err)
		}
	}
	for _, host := range []string{
		"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "branch-12.evil.example", "1.2.3", "localhost.evil.example", "a.b.local",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if err := ask(method, host); gateway.KindOf(err) != gateway.KindUnauthorized {
				t.Errorf("%s %q: %v", method, host, err)
			}
		}
		// The old clients of SendSMS call the box by whatever name it has; a browser
		// names itself in the Origin of every POST.
		if err := ask("POST", host); err != nil {
			t.Errorf("POST %q: %v", host, err)
		}
	}
}

func TestWrongTokensAreThrottledByAddressAndRightOnesAreNot(t *testing.T) {
	now := time.Date(2030, 1, 2, 8, 0, 0, 0, time.UTC)
	g := open(t, Options{Now: func() time.Time { return now }})
	_, secret, err := g.Create(t.Context(), "shop", Read)
	must(t, err)
	kinds := map[gateway.Kind]int{}
	for range 15 {
		_, err := g.ask("203.0.113.9:1", "Bearer fp_wrong")
		kinds[gateway.KindOf(err)]++
	}
	if kinds[gateway.KindUnauthorized] != 10 || kinds[gateway.KindThrottled] != 5 {
		t.Errorf("got %v", kinds)
	}
	if _, err := g.ask("203.0.113.9:1", "Bearer "+secret); err != nil {
		t.Errorf("the right one: %v", err)
	}
	if _, err := g.ask("203.0.113.10:1", "Bearer fp_wrong"); gateway.KindOf(err) != gateway.KindUnauthorized {
		t.Errorf("another address: %v", err)
	}
	now = now.Add(10 * time.Second)
	if _, err := g.ask("203.0.113.9:1", "Bearer fp_wrong"); gateway.KindOf(err) != gateway.KindUnauthorized {
		t.Errorf("ten seconds later: %v", err)
	}
}

func TestAThrottleRemembersABoundedNumberOfAddresses(t *testing.T) {
	now := time.Date(2030, 1, 2, 8, 0, 0, 0, time.UTC)
	th := NewThrottle(ThrottleOptions{PerSecond: 1, Burst: 1, Addresses: 8, Now: func() time.Time { return now }})
	for i := range 1000 {
		th.Take(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
	}
	if th.recent.Len() != 8 || len(th.byAddr) != 8 {
		t.Errorf("%d in the list, %d in the map", th.recent.Len(), len(th.byAddr))
	}
	// All addresses of one IPv6 network are one caller.
	if th.Take(netip.MustParseAddr("2001:db8::1")) != 0 || th.Take(netip.MustParseAddr("2001:db8::2")) == 0 {
		t.Error("a host got a second turn under another address of its network")
	}
}

func TestTheLastUseIsKeptToTheHourAndWrittenOnlyByRun(t *testing.T) {
	now := time.Date(2030, 1, 2, 8, 59, 0, 0, time.UTC)
	s := store(t)
	g := open(t, Options{Store: s, Now: func() time.Time { return now }})
	_, secret, err := g.Create(t.Context(), "shop", Read)
	must(t, err)
	for range 5 {
		_, err := g.ask("203.0.113.9:1", "Bearer "+secret)
		must(t, err)
	}
	if got := g.List()[0].LastUsed; !got.Equal(now.Truncate(time.Hour)) {
		t.Errorf("last used %v", got)
	}
	docs, err := s.Docs(docKind)
	must(t, err)
	if docs[0].Revision != 1 {
		t.Errorf("requests wrote revision %d", docs[0].Revision)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, g.Run(ctx))
	var b body
	docs, err = s.Docs(docKind)
	must(t, err)
	must(t, json.Unmarshal(docs[0].Body, &b))
	if !b.LastUsed.Equal(now.Truncate(time.Hour)) {
		t.Errorf("stored %v", b.LastUsed)
	}
}

func TestATokenThatCannotBeReadLetsNobodyInAndStaysWhereItIs(t *testing.T) {
	s := store(t)
	for name, text := range map[string]string{"aaaaaaaaaa": `{`, "bbbbbbbbbb": `{"scopes":["root"]}`, "cccccccccc": `{"scopes":["read"],"sha256":"00"}`} {
		_, err := s.PutDoc(t.Context(), spool.Doc{Kind: docKind, Name: name, Body: []byte(text)})
		must(t, err)
	}
	g := open(t, Options{Store: s})
	docs, err := s.Docs(docKind)
	must(t, err)
	if len(g.List()) != 0 || len(docs) != 3 {
		t.Errorf("%d tokens, %d documents", len(g.List()), len(docs))
	}
}

func TestATokenNameIsUniqueAndCanBePrinted(t *testing.T) {
	s := store(t)
	g := open(t, Options{Store: s})
	made, _, err := g.Create(t.Context(), "shop", Read)
	must(t, err)
	for _, g := range []*Guard{g, open(t, Options{Store: s})} { // also after a restart
		if _, _, err := g.Create(t.Context(), " shop ", Send); gateway.KindOf(err) != gateway.KindConflict {
			t.Errorf("a second token of the name: %v", err)
		}
	}
	for _, name := range []string{"\x1b[2J", "a\nb", "a\u202eb", "\xff", ""} {
		if _, _, err := g.Create(t.Context(), name, Read); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	must(t, g.Revoke(t.Context(), made.ID))
	if _, _, err := g.Create(t.Context(), "shop", Read); err != nil {
		t.Errorf("the name of a revoked token: %v", err)
	}
}

func TestScopesAreAClosedList(t *testing.T) {
	for _, w := range Words() {
		s, err := ParseScopes([]string{w})
		if err != nil || len(s.Words()) != 1 || s.Words()[0] != w {
			t.Errorf("%s: %v, %v", w, s.Words(), err)
		}
	}
	for _, bad := range [][]string{nil, {""}, {"root"}, {"read", "Send"}} {
		if _, err := ParseScopes(bad); gateway.KindOf(err) != gateway.KindInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestALateCloseLeavesTheTokenOfTheNextGuard(t *testing.T) {
	s, file := store(t), filepath.Join(t.TempDir(), "admin.token")
	before := open(t, Options{Store: s, File: file})
	open(t, Options{Store: s, File: file})
	want, err := os.ReadFile(file)
	must(t, err)
	must(t, before.Close())
	if got, err := os.ReadFile(file); err != nil || string(got) != string(want) {
		t.Errorf("the token of the second guard is %q, %v", got, err)
	}
}
