package serial

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fieldpost/gateway"
)

// What a modem says in an answer is read without a panic, and bounded: each line goes
// through every parser, as on a line where answers are mixed up.
func FuzzReplies(f *testing.F) {
	for _, line := range []string{
		"+CMGL: 1,1,,23", `+CUSD: 0,"00530061",72`, "+CPINR: SIM PIN,3,3", `"SM",3,20,"SM",3,20,"SM",3,20`, "2,1,\"00C3\",\"0000A1B2\"", "18,99",
		`0,0,"Antel",7`, `0,0,"0041006E00740065006C",2`, `"26/11/22,14:45:01-12"`, `"+59899000000",145`, `"","+59899000001",145`, "+CCID: 8959807000000000001F",
		"READY", "SIM PUK", "CME 10", `1,"Menu` + "\n" + `> 1 Si",15`, `0,"D3309B1C01",15`, "07919598090000F0040B919598193254F600006211224154102904C8373B0C",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		fuzzHeaders(t, line)
		fuzzNetwork(t, line)
		fuzzIdentity(t, line)
		for _, packed := range []bool{false, true} {
			if _, text := parseUSSD(line, packed); len(text) > 4*len(line) || !utf8.ValidString(text) {
				t.Errorf("a text of %d bytes: %q", len(text), text)
			}
		}
	})
}

func fuzzHeaders(t *testing.T, line string) {
	stat(line, 1)
	if n := length(line); n < 0 {
		t.Errorf("length %d", n)
	}
	if whole(line, length(line)) && len(line) < 2 {
		t.Errorf("%q is taken for a TPDU", line)
	}
	if m, ok := parseFill(line, "SM"); ok && (m.used < 0 || m.total < 1 || m.used > m.total || m.total > maxPlaces || !utf8.ValidString(m.name)) {
		t.Errorf("%q is a memory of %+v", line, m)
	}
	if n, ok := firstTries(line); ok && (n < 0 || n > 10) {
		t.Errorf("%d tries", n)
	}
}

func fuzzNetwork(t *testing.T, line string) {
	if reg := parseRegistration(line); reg > gateway.RegRoaming {
		t.Errorf("registration %d", reg)
	}
	if n, ok := parseSignal(line); ok && (n < 0 || n > 31 && n != gateway.SignalUnknown) {
		t.Errorf("signal %d", n)
	}
	if name, _ := operatorName(line); !utf8.ValidString(name) || len(name) > 3*len(line) {
		t.Errorf("operator %q", name)
	}
	if at, ok := parseClock(line); ok && (at.Year() < firstYear-1 || at.Year() > lastYear+1 || at.Location() != time.UTC) {
		t.Errorf("%q is %s", line, at)
	}
}

func fuzzIdentity(t *testing.T, line string) {
	if n, ok := parseICCID(line); ok && (len(n) < 18 || !digits(n)) {
		t.Errorf("ICCID %q", n)
	}
	if n := parseOwnNumber(line); n != "" && !numberLike(n) {
		t.Errorf("number %q", n)
	}
	if addr, ok := parseSMSC(line); ok && addr != "" && !numberLike(addr) {
		t.Errorf("SMSC %q", addr)
	}
	if reason, _ := simReason(line); !utf8.ValidString(reason) || reason == "" && !strings.Contains("READY SIM PIN2 SIM PUK2", line) {
		t.Errorf("%q: %q", line, reason)
	}
}
