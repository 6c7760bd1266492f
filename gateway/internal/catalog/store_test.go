package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// memory is a Store for tests of the rules; the spool itself is tested with the
// catalog in spool_test.go.
type memory struct {
	mu       sync.Mutex
	docs     map[string]spool.Doc
	events   []gateway.CampaignEvent
	counters map[string]gateway.Counters
	broken   error // of the next put
}

func newMemory() *memory {
	return &memory{docs: map[string]spool.Doc{}, counters: map[string]gateway.Counters{}}
}

func (m *memory) PutDocTold(_ context.Context, d spool.Doc, ch spool.Change) (spool.Doc, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return spool.Doc{}, m.broken
	}
	if m.docs[d.Kind+"/"+d.Name].Revision != d.Revision {
		return spool.Doc{}, gateway.Errorf(gateway.KindConflict, "another revision")
	}
	d.Revision++
	m.docs[d.Kind+"/"+d.Name] = d
	return d, m.tell(ch)
}

func (m *memory) Docs(kind string) ([]spool.Doc, error) {
	var all []spool.Doc
	for _, d := range m.docs {
		if d.Kind == kind {
			all = append(all, d)
		}
	}
	return all, nil
}

func (m *memory) DeleteDocTold(_ context.Context, kind, name string, ch spool.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.counters[ch.Lane]; ch.Lane != "" && c.NotProcessed() > 0 {
		return gateway.Errorf(gateway.KindConflict, "%d rows wait", c.NotProcessed())
	}
	delete(m.docs, kind+"/"+name)
	return m.tell(ch)
}

func (m *memory) tell(ch spool.Change) error {
	if ch.Event != gateway.EventCampaign {
		return errors.New("another event")
	}
	m.events = append(m.events, ch.Body.(gateway.CampaignEvent))
	return nil
}

func (m *memory) last() gateway.CampaignEvent { return m.events[len(m.events)-1] }

// rack is a managed provider; 2 messages a second.
func rack() Provider {
	return Provider{Provider: gateway.Provider{Name: "rack", Type: gateway.TypeGSM, Rate: 2, Pattern: `\+598\d+`,
		Ports: []gateway.Port{{Port: 0, Device: "/dev/ttyUSB0", PIN: "1234"}}}}
}

func bank() Provider {
	return Provider{Password: "", Provider: gateway.Provider{Name: "bank", Type: gateway.TypeGSM,
		Ports: []gateway.Port{{Port: 3, Device: "/dev/ttyUSB3", PIN: "4321"}}}}
}

func open(t *testing.T, store Store) *Catalog {
	t.Helper()
	c, err := Open(Options{Store: store, Managed: []Provider{rack()}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused holds that an error has a kind and a field.
func refused(t *testing.T, err error, kind gateway.Kind, field string) {
	t.Helper()
	var e *gateway.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Field != field {
		t.Errorf("got %v (kind %v), want kind %v at field %q", err, gateway.KindOf(err), kind, field)
	}
}

func campaign(name string) Campaign {
	return Campaign{Campaign: gateway.Campaign{Name: name, Provider: "rack", Enabled: true}}
}

func dialer(name string) Dialer {
	return Dialer{Dialer: gateway.Dialer{Name: name, Provider: "rack", Enabled: true, DialString: "(0.3)"}}
}

// jsonOf is what would be shown of a value.
func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
