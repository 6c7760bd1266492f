package api

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// The streaming reader of forms gives what net/url gives, or an error.
func FuzzForm(f *testing.F) {
	for _, s := range []string{"a=b", "a=b&c=d+e%20f", "a", "=", "&", "a=%", "a=%zz", "a=1&a=2", "%61=b", strings.Repeat("a", 300) + "=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(s))
		got, err := readForm(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		want, err := url.ParseQuery(s)
		if err != nil {
			// A ";" is a letter to a browser (URL Standard §5.1), and an error to net/url.
			if strings.Contains(s, ";") {
				return
			}
			t.Fatalf("%q was read as %q; net/url says %v", s, got, err)
		}
		for name, value := range got {
			if w := want.Get(name); w != value && utf8.ValidString(w) {
				t.Errorf("%q: %s is %q, not %q", s, name, value, w)
			}
			if !utf8.ValidString(value) {
				t.Errorf("%q: %q is not UTF-8", s, value)
			}
		}
	})
}

// Whatever comes as a message or as an old form is answered, and never with a
// fault of ours.
func FuzzBodies(f *testing.F) {
	r := newRig(f)
	f.Add(`{"to":"098344484","text":"Hi","campaign":"test1"}`)
	f.Add(`{"to":1,"priority":1e400,"not_before":{}}`)
	f.Add(`destination=098344484&message=Hi&campaign=test1`)
	f.Add(`sms={"calldate":"2030-01-02 08:00:00","campaign":"test1","destination":1,"data":"x"}`)
	f.Add("campaign=test1&fileb64=YQ==")
	f.Fuzz(func(t *testing.T, body string) {
		for _, c := range []call{
			{path: "/api/v1/messages", kind: "application/json"},
			{path: "/api/v1/segments/plan", kind: "application/json"},
			{path: "/api/v1/numbers/explain", kind: "application/json"},
			{path: sendPath, kind: formKind},
			{path: "/Integra/resources/SMS/ScheduleDialerSMS", kind: formKind},
			{path: "/Integra/resources/SMS/uploadbase", kind: "multipart/form-data; boundary=x"},
		} {
			req := httptest.NewRequest("POST", c.path, strings.NewReader(body))
			req.RemoteAddr = trusted
			req.Header.Set("Content-Type", c.kind)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if w.Code >= 500 || strings.HasPrefix(w.Header().Get(reasonHeader), "internal") {
				t.Errorf("%s with %q: %d %s", c.path, body, w.Code, w.Body)
			}
			if strings.HasSuffix(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s with %q: answered no JSON", c.path, body)
			}
		}
	})
}

// A value of any length is read in pieces of any size.
func TestPairsAreReadInPieces(t *testing.T) {
	const form = "first=a%20b+c&second=%2B%2B&third="
	for size := 1; size < 8; size++ {
		r := httptest.NewRequest("POST", "/", strings.NewReader(form))
		p := newPairs(r, r.Body)
		var got []string
		for {
			name, value, err := p.next()
			if err == io.EOF {
				break
			}
			must(t, err)
			var b strings.Builder
			buf := make([]byte, size)
			for {
				n, err := value.Read(buf)
				b.Write(buf[:n])
				if err == io.EOF {
					break
				}
				must(t, err)
			}
			got = append(got, name+"="+b.String())
		}
		if s := strings.Join(got, "|"); s != "first=a b c|second=++|third=" {
			t.Errorf("pieces of %d: %s", size, s)
		}
	}
}
