package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"net/netip"

	"fieldpost/gateway/internal/access"
)

// BenchmarkSendSMS is the whole way of a SendSMS: loopback, parsing, number, plan,
// a commit with its sync, OK. The callers are in the same process, as lean as a
// client can be.
func BenchmarkSendSMS(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchSend(b, callers) })
	}
}

func benchSend(b *testing.B, callers int) {
	r := newRig(b, func(o *Options) {
		guard, err := access.Open(access.Options{Store: o.Spool, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		must(b, err)
		o.Guard = guard
	})
	srv := r.Server()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	before := r.spool.Stats()
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	failed := make(chan error, callers)
	for range callers {
		go func() { failed <- sender(l.Addr().String(), &next, int64(b.N)) }()
	}
	for range callers {
		must(b, <-failed)
	}
	b.StopTimer()
	after := r.spool.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(b.N)/float64(after.Commits-before.Commits), "msg/commit")
	must(b, srv.Close())
	if err := <-served; err != http.ErrServerClosed {
		b.Fatal(err)
	}
}

// sender makes calls on one connection until n were made by all.
func sender(addr string, next *atomic.Int64, n int64) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		i := next.Add(1)
		if i > n {
			return nil
		}
		form := fmt.Sprintf("destination=%%2B5989%07d&message=This+is+my+SMS&campaign=test1&agent=anna", i%10_000_000)
		if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: box\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			sendPath, formKind, len(form), form); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.HasPrefix(string(body), "OK") {
			return fmt.Errorf("answered %q, %q, %v", body, resp.Header.Get(reasonHeader), err)
		}
	}
}
