package metrics

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/sims"
	"fieldpost/spool"
)

// Store is what is read of the spool: all of it lies in memory.
type Store interface {
	Stats() spool.Stats
	AllCounters() (map[string]gateway.Counters, error)
	BlacklistSize() uint64
	Tail() (last uint64, changed <-chan struct{})
}

// Channels gives the present channels.
type Channels interface {
	Channels() []gateway.Channel
}

// SIMs gives the passports of the cards.
type SIMs interface {
	Cards() []sims.Card
}

// Options say what is shown.
type Options struct {
	Registry *prometheus.Registry // nil = a new one
	Store    Store
	Channels Channels
	Devices  Devices
	SIMs     SIMs
	Classes  []string // of requests; another one counts as the last of them
	Intake   []string // those of Classes that submit messages
	Version  string
	Logger   *slog.Logger // nil = none
}

// Metrics counts what nobody else keeps. Its methods may be called from many
// goroutines.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	classes  map[string]class
	other    class
	outcomes map[outcome]prometheus.Counter
}

// class holds the children of one class: looking them up by label costs fifty
// times as much.
type class struct {
	codes  [6]prometheus.Counter // by the first digit of the status
	time   prometheus.Observer
	intake prometheus.Observer // nil for a class that submits nothing
}

type outcome struct {
	status gateway.Status
	kind   gateway.Kind
}

// New registers everything.
func New(o Options) (*Metrics, error) {
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if len(o.Classes) == 0 {
		o.Classes = []string{"other"}
	}
	m := &Metrics{registry: o.Registry, log: o.Logger, classes: map[string]class{}, outcomes: map[outcome]prometheus.Counter{}}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fieldpost_http_requests_total", Help: "Requests by class and class of status."}, []string{"class", "code"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "fieldpost_http_request_seconds", Help: "Time to answer a request.", Buckets: buckets()}, []string{"class"})
	intake := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "fieldpost_intake_seconds", Help: "Time from a submitted message to its answer: on disk.", Buckets: buckets()})
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fieldpost_outcomes_total", Help: "Messages that reached a status, by kind of failure."}, []string{"status", "kind"})
	for _, c := range o.Classes {
		m.classes[c] = newClass(c, slices.Contains(o.Intake, c), requests, seconds, intake)
	}
	m.other = m.classes[o.Classes[len(o.Classes)-1]]
	m.hold(outcomes)
	return m, errors.Join(
		o.Registry.Register(requests), o.Registry.Register(seconds), o.Registry.Register(intake), o.Registry.Register(outcomes),
		o.Registry.Register(&storeCollector{o.Store}), o.Registry.Register(&channelCollector{o.Channels}),
		o.Registry.Register(&deviceCollector{o.Devices}),
		o.Registry.Register(&simCollector{o.SIMs}),
		o.Registry.Register(build(o.Version)),
		o.Registry.Register(collectors.NewGoCollector()),
		o.Registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
}

// buckets run from a fast disk to a caller's patience, in seconds.
func buckets() []float64 {
	return []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10}
}

func newClass(name string, submits bool, requests *prometheus.CounterVec, seconds *prometheus.HistogramVec, intake prometheus.Observer) class {
	c := class{time: seconds.WithLabelValues(name)}
	for digit := 1; digit < len(c.codes); digit++ {
		c.codes[digit] = requests.WithLabelValues(name, strconv.Itoa(digit)+"xx")
	}
	if submits {
		c.intake = intake
	}
	return c
}

// hold makes a child for every status and kind that go together, so that a rare
// failure is a zero before it happens.
func (m *Metrics) hold(vec *prometheus.CounterVec) {
	for _, s := range gateway.Statuses() {
		for _, k := range append(gateway.Kinds(), gateway.KindNone) {
			m.outcomes[outcome{s, k}] = vec.WithLabelValues(s.String(), k.String())
		}
	}
}

// Observe counts a request.
func (m *Metrics) Observe(name string, status int, d time.Duration) {
	c, ok := m.classes[name]
	if !ok {
		c = m.other
	}
	if digit := status / 100; digit > 0 && digit < len(c.codes) {
		c.codes[digit].Inc()
	}
	c.time.Observe(d.Seconds())
	if c.intake != nil && status < 300 {
		c.intake.Observe(d.Seconds())
	}
}

// Outcome counts a message that reached a status, and why it failed.
func (m *Metrics) Outcome(s gateway.Status, k gateway.Kind) {
	if c, ok := m.outcomes[outcome{s, k}]; ok {
		c.Inc()
	}
}

// Handler serves the registry. Scrapes that come while one is being made share it.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		ErrorLog:            slog.NewLogLogger(m.log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 2,
		Timeout:             10 * time.Second,
		CoalesceGather:      true,
	})
}

func build(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fieldpost_build_info", Help: "1, with the version of the program.",
		ConstLabels: prometheus.Labels{"version": label(version)},
	})
	g.Set(1)
	return g
}
