package intake

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/gateway/numbers"
	"fieldpost/spool"
)

// FuzzRow: any row becomes a message that the spool can keep and a dialer can send,
// an invalid one with its reason, or a reason.
func FuzzRow(f *testing.F) {
	n, err := numbers.New(numbers.Options{Region: "UY"})
	if err != nil {
		f.Fatal(err)
	}
	in := &Intake{o: Options{Catalog: known, Numbers: n, Now: time.Now}, text: gsm7.Options{MaxSegments: 6}}
	f.Add("test1;098344484;This is my SMS;9999")
	f.Add("test1;098344484;\"¡Hola; \"\"Ñandú\"\" 🎉\";;a;b")
	f.Add("test1;0983x4484;hi;1")
	f.Fuzz(func(t *testing.T, text string) {
		r := newCSVReader(strings.NewReader(text), charsetUTF8, 0, 0)
		rec, err := r.next()
		if err != nil || rec.fault != "" {
			return
		}
		m, reason := in.message(rec.fields, &spool.Upload{ID: "b"}, time.Unix(0, 0))
		if reason != "" {
			if !utf8.ValidString(reason) || len(reason) > 500 {
				t.Fatalf("reason %q", reason)
			}
			return
		}
		if m.Segments < 1 || m.Segments > 6 || m.Campaign == "" || len(m.Data) > maxData || m.Priority > gateway.MaxPriority {
			t.Fatalf("message %+v", m)
		}
		switch m.Status {
		case gateway.StatusQueued:
			if !m.To.E164() {
				t.Fatalf("to %q", m.To)
			}
		case gateway.StatusInvalid:
			if m.Reason == "" || m.Kind != gateway.KindInvalid {
				t.Fatalf("message %+v", m)
			}
		default:
			t.Fatalf("status %v", m.Status)
		}
	})
}
