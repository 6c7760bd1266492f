package app

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// The disk fails under a running daemon.
func TestStorageThatFailsTakesTheDaemonDownWithAReason(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.started("alerts")
	must(t, os.Truncate(h.spoolPath(), 0))
	_, err := h.Send(t.Context(), client.NewMessage{To: "098344484", Text: "Hi", Campaign: "alerts"})
	if err == nil {
		t.Error("a message was accepted")
	}
	if err := h.wait(); err == nil || !strings.HasPrefix(err.Error(), "the storage failed") {
		t.Errorf("it ended with: %v", err)
	}
	must(t, os.Remove(h.spoolPath()))
}

// The spool is full: what was accepted stays, new rows are refused with the reason,
// and the base that did not fit goes on by itself once there is room.
func TestFullSpoolRefusesSaysWhyAndGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 9000 // of 4 KiB: more than fit
	h := newHouse(t, setup{storage: `max_size = "64MiB"`})
	h.ready(1)
	h.dialer("test1")
	var b strings.Builder
	for i := range rows {
		fmt.Fprintf(&b, "test1;09%07d;Row %d;9999;%s\n", 1_000_000+i, i, strings.Repeat("y", 4000))
	}
	u, err := h.UploadBase(t.Context(), "test1", client.File{Reader: strings.NewReader(b.String())})
	must(t, err)
	hi := client.NewMessage{To: "098344484", Text: "Hi", Campaign: "test1"}
	eventually(t, "it is full", func() bool {
		c := h.counters("test1")
		return h.app.spool.Room() != nil && c.Uploaded > 0
	})
	if _, err := h.Send(t.Context(), hi); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "full") {
		t.Errorf("a message got %v", err)
	}
	s, err := h.Site(t.Context())
	must(t, err)
	if s.State != siteDegraded || !strings.Contains(strings.Join(s.Reasons, "; "), "the spool is full") {
		t.Errorf("the site says %s: %q", s.State, s.Reasons)
	}
	if got := h.call("GET", "/readyz", "", nil); got.status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d %q", got.status, got.body)
	}
	first, err := h.DeleteUnprocessed(t.Context(), "test1")
	must(t, err)
	if first.Deleted == 0 || first.Deleted == rows {
		t.Fatalf("%d rows were there", first.Deleted)
	}
	if u = h.loaded(u); u.State != "done" || u.Accepted != rows || u.RejectedTotal != 0 {
		t.Errorf("the upload says %+v", u)
	}
	h.submit(hi)
	if c := h.counters("test1"); c.Uploaded != rows+1 || int(c.NotProcessed) != rows+1-first.Deleted {
		t.Errorf("the counters are %+v after %d were deleted", c, first.Deleted)
	}
}
