package at

import (
	"strings"
	"testing"
)

func TestRecorderKeepsNoSecret(t *testing.T) {
	tests := []struct{ in, want string }{
		{`AT+CPIN="1234"`, `AT+CPIN=***`},
		{deliver, "<pdu 31 octets>"},
		{`+CUSD: 0,"Saldo $ 120",15`, `+CUSD: 0,"***********",15`},
		{`AT+CUSD=1,"*123*9876#",15`, `AT+CUSD=1,"**********",15`},
		{`+CSCA: "+59899000000",145`, `+CSCA: "+********000",145`},
		{"356938035643809", "************809"},
		{"+CMGS: 42", "+CMGS: 42"},
		{"Su pedido 1234 esta en camino", "<29 octets>"}, // of a modem that fell back to text mode
		{"+598 99 te debe plata", "<21 octets>"},
		{`+CMT: "Mama",,"26/11/22,14:45:01-12"`, `+CMT: "****",,"********************"`},
		{`+CMGL: 1,1,"Mama",23`, `+CMGL: 1,1,"****",23`},
		{`+COPS: 0,0,"Antel"`, `+COPS: 0,0,"Antel"`},
		{"^SMMEMFULL: SM", "^SMMEMFULL: SM"},
		{"RDY", "RDY"},
		{"+CMS ERROR: 38", "+CMS ERROR: 38"},
	}
	for _, test := range tests {
		var r Recorder
		r.in([]byte(test.in))
		if got := r.Lines()[0]; !strings.HasSuffix(got, " < "+test.want) {
			t.Errorf("%q is kept as %q, want %q", test.in, got, test.want)
		}
	}
	var r Recorder
	for range 1000 {
		r.in([]byte(strings.Repeat("x", 500)))
	}
	if n := len(r.Lines()); n != traceLines {
		t.Errorf("%d lines kept", n)
	}
}

// Whatever comes, no run of digits that is a number stays, and no line is long.
func FuzzRecorder(f *testing.F) {
	f.Add([]byte(`+CNUM: "","+59899000001",145`), true)
	f.Add([]byte(`AT+CPIN="1234"`), false)
	f.Fuzz(func(t *testing.T, line []byte, in bool) {
		var r Recorder
		if in {
			r.in(line)
		} else {
			r.out(line)
		}
		got := r.Lines()[0][len("15:04:05.000 < "):]
		if len(got) > traceWidth {
			t.Errorf("%d bytes are kept", len(got))
		}
		for i := range got {
			if digitRun([]byte(got[i:])) >= 7 {
				t.Errorf("%q is kept as %q", line, got)
			}
		}
	})
}
