package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hooked is a rig whose hook answers with how many bytes it was given.
func hooked(t *testing.T) (r *rig, heard *int) {
	heard = new(int)
	return newRig(t, func(o *Options) {
		o.Hooks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			var long *http.MaxBytesError
			if errors.As(err, &long) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			*heard += len(b)
		})
	}), heard
}

func TestADeviceNeedsNoTokenToTellWhatHappened(t *testing.T) {
	r, heard := hooked(t)
	event := call{method: "POST", path: "/hooks/dinstar/rack/secret", body: `{"sms":[]}`, from: stranger, header: map[string]string{"Host": "gw.example.com"}}
	if status, body := r.do(event); status != 200 || *heard != len(event.body) {
		t.Errorf("it is answered %d %q, %d bytes were heard", status, body, *heard)
	}
	event.header = map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
	if status, _ := r.do(event); status != 403 {
		t.Errorf("a page in a browser is answered %d", status)
	}
	event.method, event.header = "GET", nil
	if w := r.serve(event); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("a GET is answered %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestWhatADeviceTellsIsBoundedInLength(t *testing.T) {
	r, heard := hooked(t)
	long := call{method: "POST", path: "/hooks/dinstar/rack/secret", body: strings.Repeat("x", hookBody), from: stranger}
	if status, _ := r.do(long); status != 200 || *heard != hookBody {
		t.Errorf("64 KiB are answered %d", status)
	}
	long.body += "x"
	if status, _ := r.do(long); status != 413 || *heard != hookBody {
		t.Errorf("a byte more is answered %d", status)
	}
	req, err := http.NewRequest("POST", "/hooks/dinstar/rack/secret", io.MultiReader(strings.NewReader(long.body))) // of no told length
	must(t, err)
	req.RemoteAddr = stranger
	if w := r.record(req); w.Code != 413 {
		t.Errorf("a body of no told length is answered %d", w.Code)
	}
}

func TestAStormOfEventsIsHeldOffFromEveryAddress(t *testing.T) {
	r, _ := hooked(t)
	for _, from := range []string{stranger, trusted} {
		storm := call{method: "POST", path: "/hooks/dinstar/rack/secret", body: "{}", from: from}
		for range hookBurst {
			if status, _ := r.do(storm); status != 200 {
				t.Fatalf("an event within the burst is answered %d", status)
			}
		}
		if w := r.serve(storm); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("one too many from %s is answered %d, Retry-After %q", from, w.Code, w.Header().Get("Retry-After"))
		}
	}
	r.now = r.now.Add(time.Second)
	if status, _ := r.do(call{method: "POST", path: "/hooks/dinstar/rack/secret", body: "{}", from: stranger}); status != 200 {
		t.Errorf("a second later it is answered %d", status)
	}
}

func TestABoxWithoutHooksHasNoSuchPath(t *testing.T) {
	r := newRig(t)
	if status, _ := r.do(call{method: "POST", path: "/hooks/dinstar/rack/secret", body: "{}"}); status != 404 {
		t.Errorf("it is answered %d", status)
	}
}
