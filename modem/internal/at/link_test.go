package at

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const (
	deliver = "07919598090000F0040B919598193254F600006211224154102904C8373B0C"
	report  = "00062A0B919598193254F6621122415410296211224154102900"
)

// replay is a port that says chunks, once started, and ends.
type replay struct {
	chunks []string
	start  chan struct{}
	wrote  bytes.Buffer
}

func (r *replay) Read(p []byte) (int, error) {
	<-r.start
	if len(r.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.chunks[0])
	if r.chunks[0] = r.chunks[0][n:]; r.chunks[0] == "" {
		r.chunks = r.chunks[1:]
	}
	return n, nil
}

func (r *replay) Write(p []byte) (int, error) { return r.wrote.Write(p) }

type heard struct {
	answer string // what the library reads
	urcs   []URC
	stats  LinkStats
	wrote  string
}

// hear writes commands into a Link and then lets the modem speak.
func hear(t *testing.T, writes []string, said ...string) heard {
	t.Helper()
	r := &replay{chunks: said, start: make(chan struct{})}
	l := NewLink(r, nil)
	for _, w := range writes {
		if _, err := l.Write([]byte(w)); err != nil {
			t.Fatal(err)
		}
	}
	close(r.start)
	<-l.Ended()
	out, _ := io.ReadAll(l)
	h := heard{answer: string(out), stats: l.Stats(), wrote: r.wrote.String()}
	for u := range l.URCs() {
		h.urcs = append(h.urcs, u)
	}
	return h
}

// spread cuts what a modem says into every single byte, and into random pieces.
func spread(s string) [][]string {
	single := strings.Split(s, "")
	r := rand.New(rand.NewPCG(1, uint64(len(s))))
	var pieces []string
	for rest := s; rest != ""; {
		n := min(len(rest), 1+r.IntN(9))
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	return [][]string{{s}, single, pieces}
}

func TestLinkTakesURCsOutOfAnAnswer(t *testing.T) {
	tests := []struct {
		name   string
		cmd    string
		said   string
		answer string
		urcs   []URC
	}{
		{
			"A1: a stored message in the middle of an answer", "AT+CSQ\r\n",
			"\r\n+CMTI: \"SM\",3\r\n\r\n+CSQ: 17,99\r\n\r\nOK\r\n",
			"+CSQ: 17,99\nOK\n", []URC{{Name: "+CMTI", Args: `"SM",3`}},
		}, {
			"A16: a blank line between the header and its PDU", "AT+CSQ\r\n",
			"\r\n+CMT: ,23\r\n\r\n" + deliver + "\r\n\r\n+CSQ: 17,99\r\n\r\nOK\r\n",
			"+CSQ: 17,99\nOK\n", []URC{{Name: "+CMT", Args: ",23", PDU: deliver}},
		}, {
			"A16: a lost PDU eats nobody's line", "AT+CSQ\r\n",
			"\r\n+CMT: ,23\r\n+CSQ: 17,99\r\n\r\nOK\r\n",
			"+CSQ: 17,99\nOK\n", []URC{{Name: "+CMT", Args: ",23"}},
		}, {
			"a report between a header of a list and its PDU", "AT+CMGL=4\r\n",
			"+CMGL: 1,1,,23\r\n+CDS: 25\r\n" + report + "\r\n" + deliver + "\r\nOK\r\n",
			"+CMGL: 1,1,,23\n" + deliver + "\nOK\n", []URC{{Name: "+CDS", Args: "25", PDU: report}},
		}, {
			"a USSD text over five lines with a prompt and an OK in it", "AT+CSQ\r\n",
			"+CUSD: 1,\"Menu\r\n> 1 Saldo\r\nOK\r\n+CSQ: 3\r\n4 Salir\",15\r\n+CSQ: 17,99\r\nOK\r\n",
			"+CSQ: 17,99\nOK\n", []URC{{Name: "+CUSD", Args: "1,\"Menu\n> 1 Saldo\nOK\n+CSQ: 3\n4 Salir\",15"}},
		}, {
			"a USSD result without a text", "AT+CUSD=2\r\n",
			"+CUSD: 2\r\nOK\r\n", "OK\n", []URC{{Name: "+CUSD", Args: "2"}},
		}, {
			"the answer to AT+CREG? and a change of cell", "AT+CREG?\r\n",
			"+CREG: 2,\"00A1\",\"1B\"\r\n+CREG: 2,1,\"00A1\",\"1B\"\r\nOK\r\n",
			"+CREG: 2,1,\"00A1\",\"1B\"\nOK\n", []URC{{Name: "+CREG", Args: `2,"00A1","1B"`}},
		}, {
			"a change of registration alone", "AT+CREG?\r\n",
			"+CREG: 5\r\n+CREG: 0,1\r\nOK\r\n", "+CREG: 0,1\nOK\n", []URC{{Name: "+CREG", Args: "5"}},
		}, {
			"+CPIN is an answer when asked for, and news otherwise", "AT+CPIN?\r\n",
			"+CPIN: READY\r\nOK\r\n+CPIN: NOT READY\r\n", "+CPIN: READY\nOK\n", []URC{{Name: "+CPIN", Args: "NOT READY"}},
		}, {
			"an echo is nobody's answer", "AT+CSQ\r\n",
			"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n", "+CSQ: 17,99\nOK\n", nil,
		}, {
			"an end that the library does not know", "AT^ICCID?\r\n",
			"COMMAND NOT SUPPORT\r\n", "ERROR\n", nil,
		}, {
			"nothing passes behind the final result", "AT\r\n",
			"OK\r\nOK\r\n+CSQ: 1,1\r\n+CMS ERROR: 38\r\n", "OK\n", nil,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, said := range spread(test.said) {
				h := hear(t, []string{test.cmd}, said...)
				if h.answer != test.answer {
					t.Errorf("answer %q, want %q", h.answer, test.answer)
				}
				if !slices.Equal(h.urcs, test.urcs) {
					t.Errorf("unsolicited %q, want %q", h.urcs, test.urcs)
				}
			}
		})
	}
}

func TestLinkEatsTheBlankOfASplitPromptA13(t *testing.T) {
	for _, said := range spread("\r\n> \r\n+CMGS: 77\r\nOK\r\n") {
		h := hear(t, []string{"AT+CMGS=17\r"}, said...)
		// The payload was not written, so the reference is not this command's.
		if h.answer != ">" {
			t.Errorf("answer %q", h.answer)
		}
	}
	r := &replay{start: make(chan struct{})}
	close(r.start)
	l := NewLink(r, nil)
	<-l.Ended()
	l.over = false
	l.Write([]byte("AT+CMGS=17\r"))
	l.take([]byte("\r\n>"))
	l.Write([]byte("0011\x1a"))
	l.take([]byte(" +CMGS: 77\r\nOK\r\n"))
	if got := string(l.out); got != ">+CMGS: 77\nOK\n" {
		t.Errorf("answer %q", got)
	}
}

func TestLinkPassesOnePromptA14(t *testing.T) {
	h := hear(t, []string{"AT+CMGS=17\r"}, "\r\n> \r\n> \r\n>> ")
	if h.answer != ">" {
		t.Errorf("answer %q, want one prompt", h.answer)
	}
	h = hear(t, []string{"AT+CSQ\r\n"}, "> \r\n+CSQ: 1,99\r\nOK\r\n")
	if h.answer != "+CSQ: 1,99\nOK\n" {
		t.Errorf("answer %q, want no prompt", h.answer)
	}
}

func TestLinkSurvivesNoiseA3(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 200_000)
	for i := range noise {
		if noise[i] = byte(r.Uint32()); noise[i] == '\n' || noise[i] == '\r' {
			noise[i] = 0xFF
		}
	}
	h := hear(t, []string{"AT+CSQ\r\n"}, string(noise)+"\r\n+CSQ: 17,99\r\nOK\r\n")
	if h.answer != "+CSQ: 17,99\nOK\n" {
		t.Errorf("answer %q", h.answer)
	}
	if h.stats.Noise != 1 {
		t.Errorf("noise %d, want one line", h.stats.Noise)
	}
	h = hear(t, []string{"AT+CSQ\r\n"}, "\x02\x7fq{\r\n+CSQ: 17,99\r\nOK\r\n")
	if h.answer != "+CSQ: 17,99\nOK\n" || h.stats.Noise != 1 {
		t.Errorf("%+v", h)
	}
}

func TestLinkBoundsAnAnswerWithoutAnEnd(t *testing.T) {
	line := strings.Repeat("x", 1000) + "\r\n"
	h := hear(t, []string{"AT+COPS=?\r\n"}, strings.Repeat(line, 1000)+"OK\r\n")
	if len(h.answer) > maxAnswer+maxLine || !strings.HasSuffix(h.answer, "\nOK\n") {
		t.Errorf("%d bytes passed, ending %q", len(h.answer), h.answer[len(h.answer)-5:])
	}
	if h.stats.Noise == 0 {
		t.Error("nothing was counted")
	}
}

func TestLinkKeepsTheOrderA6(t *testing.T) {
	var said strings.Builder
	for i := range urcQueue {
		fmt.Fprintf(&said, "+CMTI: \"SM\",%d\r\n", i)
	}
	h := hear(t, nil, said.String())
	if len(h.urcs) != urcQueue {
		t.Fatalf("%d unsolicited lines, want %d", len(h.urcs), urcQueue)
	}
	for i, u := range h.urcs {
		if u.Args != fmt.Sprintf("\"SM\",%d", i) {
			t.Fatalf("line %d is %q", i, u.Args)
		}
	}
}

func TestLinkCountsWhatNobodyFetches(t *testing.T) {
	h := hear(t, nil, strings.Repeat("+CMTI: \"SM\",1\r\n", urcQueue+10))
	if len(h.urcs) != urcQueue || h.stats.Lost != 10 {
		t.Errorf("%d fetched, %d lost", len(h.urcs), h.stats.Lost)
	}
}

func TestLinkSwallowsALateReferenceAndItsOKA4(t *testing.T) {
	h := hear(t, []string{"AT+CSQ\r\n"}, "+CMGS: 41\r\nOK\r\n+CSQ: 17,99\r\nOK\r\n")
	if h.answer != "+CSQ: 17,99\nOK\n" {
		t.Errorf("answer %q", h.answer)
	}
}

func TestLinkWritesCommandsWithCRAlone(t *testing.T) {
	h := hear(t, []string{"AT+CSQ\r\n", "AT+CMGS=2\r", "00\x1a"})
	if h.wrote != "AT+CSQ\rAT+CMGS=2\r00\x1a" {
		t.Errorf("wrote %q", h.wrote)
	}
}

func TestLinkRefusesAPayloadThatWasGivenUp(t *testing.T) {
	r := &replay{start: make(chan struct{})}
	l := NewLink(r, nil)
	l.Write([]byte("AT+CMGS=2\r"))
	if c := l.Abandon(); !c.Running || c.Payload {
		t.Errorf("%+v", c)
	}
	if _, err := l.Write([]byte("00\x1a")); err == nil {
		t.Error("a payload was written after its command was given up")
	}
	close(r.start)
	<-l.Ended()
	if got := r.wrote.String(); got != "AT+CMGS=2\r" {
		t.Errorf("wrote %q", got)
	}
}

func FuzzLink(f *testing.F) {
	f.Add([]byte("\r\n+CMT: ,23\r\n\r\n"+deliver+"\r\n+CSQ: 17,99\r\nOK\r\n"), uint8(0))
	f.Add([]byte("+CUSD: 1,\"a\r\n> b\r\nOK\",15\r\n> \r\n+CMGS: 7\r\nOK\r\n"), uint8(1))
	f.Add([]byte("+CREG: 0,1\r\n+CMS ERROR: 38\r\n>>>"), uint8(2))
	commands := []string{"AT+CSQ\r\n", "AT+CMGS=17\r", "AT+CREG?\r\n", "AT+CUSD?\r\n"}
	f.Fuzz(func(t *testing.T, said []byte, which uint8) {
		cmd := commands[int(which)%len(commands)]
		h := hear(t, []string{cmd}, string(said))
		finals, prompts := 0, 0
		for _, line := range strings.Split(h.answer, "\n") {
			if strings.HasPrefix(line, ">") {
				prompts++
				line = line[1:]
			}
			if strings.HasPrefix(line, ">") || len(line) > maxLine {
				t.Fatalf("passed %q", line)
			}
			if line != "" && isFinal([]byte(line)) {
				finals++
			}
		}
		if finals > 1 {
			t.Fatalf("%d final results for one command: %q", finals, h.answer)
		}
		if sms := strings.HasSuffix(cmd, "17\r"); prompts > 1 || prompts == 1 && !sms {
			t.Fatalf("%d prompts for %q: %q", prompts, cmd, h.answer)
		}
		for _, u := range h.urcs {
			if len(u.Args) > maxQuote+maxLine {
				t.Fatalf("a text of %d bytes passed", len(u.Args))
			}
		}
	})
}
