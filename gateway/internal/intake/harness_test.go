package intake

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/numbers"
	"fieldpost/spool"
)

// names is a Catalog that knows these campaigns.
type names []string

func (n names) Resolve(name string) (Route, error) {
	for _, known := range n {
		if name == known {
			return Route{Policy: gateway.UnknownResend}, nil
		}
	}
	return Route{}, gateway.Invalid("campaign", "no campaign or dialer is named %q", name)
}

var known = names{"AutomatedSMSDialer", "test1", "alerts"}

// door is an Intake on a real spool.
type door struct {
	*Intake
	spool *spool.Spool
	stop  func()
}

// opened opens a door on the spool in dir.
func opened(dir string, with func(*Options)) (*door, error) {
	s, err := spool.Open(spool.Options{Path: filepath.Join(dir, "spool.db")})
	if err != nil {
		return nil, err
	}
	n, err := numbers.New(numbers.Options{Region: "UY"})
	if err != nil {
		return nil, err
	}
	o := Options{Store: s, Blacklist: s, Catalog: known, Numbers: n, Dir: filepath.Join(dir, "uploads"), MaxSegments: 6}
	if with != nil {
		with(&o)
	}
	in, err := New(o)
	return &door{Intake: in, spool: s}, err
}

// open opens a door that the end of the test closes; it closes it itself before it
// opens another on the same spool.
func open(t testing.TB, dir string, with func(*Options)) *door {
	t.Helper()
	d, err := opened(dir, with)
	if err != nil {
		t.Fatal(err)
	}
	s := d.spool
	d.stop = func() {
		if err := s.Check(context.Background()); err != nil {
			t.Errorf("the spool is not sound: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		d.stop = func() {}
	}
	t.Cleanup(func() { d.stop() })
	return d
}

// running opens a door whose loader runs until the test ends.
func running(t testing.TB, with func(*Options)) *door {
	t.Helper()
	d := open(t, t.TempDir(), with)
	d.run(t)
	return d
}

// run runs the loader; calling what it gives ends it.
func (d *door) run(t testing.TB) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.RunLoader(ctx) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the loader: %v", err)
		}
	}
	stop := d.stop
	d.stop = func() { end(); stop() }
	return end
}

// base takes a base of this text and waits until it is loaded.
func (d *door) base(t testing.TB, text string) spool.Upload {
	t.Helper()
	up, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(text), Name: "base.csv", Agent: "ana"})
	if err != nil {
		t.Fatal(err)
	}
	if up.State != stateDone {
		t.Fatalf("the upload is %+v", up)
	}
	return up
}

// messages gives every message, oldest first.
func (d *door) messages(t testing.TB) []gateway.Message {
	t.Helper()
	var all []gateway.Message
	for cursor := ""; ; {
		p, err := d.spool.List(spool.Query{Oldest: true, Limit: 1000, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Messages...)
		if cursor = p.Next; cursor == "" {
			return all
		}
	}
}

// refused holds that an error has a kind and a field.
func refused(t testing.TB, err error, kind gateway.Kind, field string) {
	t.Helper()
	var e *gateway.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Field != field {
		t.Errorf("got %v (kind %v), want kind %v at field %q", err, gateway.KindOf(err), kind, field)
	}
}

// at is a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }
