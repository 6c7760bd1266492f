package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"fieldpost/gateway"
)

// maxLabel is the longest value of a label, in bytes: a channel of a provider with the
// longest name keeps its port, without which two channels would be one.
const maxLabel = gateway.MaxName + len("/31")

// label makes a value out of what a device or an installer wrote. Invalid UTF-8 in
// one makes client_golang panic: an operator's name
// comes from AT+COPS as the network broadcasts it.
func label(s string) string {
	if len(s) > maxLabel {
		s = s[:maxLabel]
	}
	return strings.ToValidUTF8(s, "?")
}

// put sends a figure. What cannot be one is an error of the scrape, not a panic.
func put(to chan<- prometheus.Metric, d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
	m, err := prometheus.NewConstMetric(d, kind, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	to <- m
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("fieldpost_"+name, help, labels, nil)
}

// storeCollector shows the spool.
type storeCollector struct{ store Store }

// Describe sends nothing: an unchecked collector, whose figures follow.
func (c *storeCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the spool's figures, which lie in memory.
func (c *storeCollector) Collect(to chan<- prometheus.Metric) {
	c.messages(to)
	s := c.store.Stats()
	last, _ := c.store.Tail()
	for _, f := range []struct {
		name, help string
		kind       prometheus.ValueType
		v          float64
	}{
		{"store_bytes_written_total", "Bytes that commits wrote.", prometheus.CounterValue, float64(s.BytesWritten)},
		{"store_fsync_total", "Syncs of the spool's file.", prometheus.CounterValue, float64(s.Syncs)},
		{"store_commits_total", "Commits.", prometheus.CounterValue, float64(s.Commits)},
		{"store_requests_total", "Requests that shared the commits.", prometheus.CounterValue, float64(s.Requests)},
		{"store_file_bytes", "Size of the spool's file.", prometheus.GaugeValue, float64(s.FileSize)},
		{"store_free_bytes", "Bytes in the file that can be used again.", prometheus.GaugeValue, float64(s.FreeBytes)},
		{"store_readers", "Snapshots that are open.", prometheus.GaugeValue, float64(s.Readers)},
		{"store_quarantined", "Records that could not be read.", prometheus.GaugeValue, float64(s.Quarantined)},
		{"blacklist_entries", "Entries of the blacklist.", prometheus.GaugeValue, float64(c.store.BlacklistSize())},
		{"events_total", "Number of the last event.", prometheus.CounterValue, float64(last)},
	} {
		put(to, desc(f.name, f.help), f.kind, f.v)
	}
}

// messages shows the rows of all campaigns together: a label for each would have
// no bound.
func (c *storeCollector) messages(to chan<- prometheus.Metric) {
	d := desc("messages", "Messages by status, over all campaigns.", "status")
	all, err := c.store.AllCounters()
	if err != nil {
		to <- prometheus.NewInvalidMetric(d, err)
		return
	}
	var sum gateway.Counters
	for _, one := range all {
		sum.Add(&one)
	}
	for _, s := range gateway.Statuses() {
		put(to, d, prometheus.GaugeValue, float64(sum.ByStatus[s]), s.String())
	}
	put(to, desc("backlog", "Messages that wait to be sent."), prometheus.GaugeValue, float64(sum.NotProcessed()))
	put(to, desc("uploaded_total", "Messages that were accepted."), prometheus.CounterValue, float64(sum.Uploaded))
	put(to, desc("deleted_total", "Messages that were deleted unprocessed."), prometheus.CounterValue, float64(sum.Deleted))
}

// channelCollector shows the channels. One that is gone is gone from the next scrape.
type channelCollector struct{ bank Channels }

// Describe sends nothing: an unchecked collector, whose figures follow.
func (c *channelCollector) Describe(chan<- *prometheus.Desc) {}

// Collect shows the present channels.
func (c *channelCollector) Collect(to chan<- prometheus.Metric) {
	var (
		count  = desc("channels", "Channels by state.", "state")
		ready  = desc("channel_ready", "1 when the channel can send.", "channel")
		signal = desc("channel_signal_dbm", "Signal of the channel.", "channel")
		stored = desc("channel_memory_messages", "Messages in the memory of SIM or modem.", "channel")
		places = desc("channel_memory_places", "Messages that the memory has room for.", "channel")
		ahead  = desc("channel_clock_ahead_seconds", "How far the network's time was ahead of this box's when it was last asked.", "channel")
		info   = desc("channel_info", "1, with what the channel is.", "channel", "operator", "model", "registration")
	)
	states := map[gateway.ChannelState]int{}
	for _, ch := range c.bank.Channels() {
		states[ch.State]++
		id, on := label(ch.ID), 0.0
		if ch.State == gateway.ChannelReady {
			on = 1
		}
		put(to, ready, prometheus.GaugeValue, on, id)
		if dbm, ok := ch.DBm(); ok {
			put(to, signal, prometheus.GaugeValue, float64(dbm), id)
		}
		if ch.Storage > 0 {
			put(to, stored, prometheus.GaugeValue, float64(ch.Stored), id)
			put(to, places, prometheus.GaugeValue, float64(ch.Storage), id)
		}
		if !ch.ClockAt.IsZero() {
			put(to, ahead, prometheus.GaugeValue, ch.Ahead.Seconds(), id)
		}
		put(to, info, prometheus.GaugeValue, 1, id, label(ch.Operator), label(ch.Model), ch.Registration.String())
	}
	for s := gateway.ChannelAbsent; s <= gateway.ChannelFault; s++ {
		put(to, count, prometheus.GaugeValue, float64(states[s]), s.String())
	}
}

// simCollector shows the cards that are in a slot, by their channel: a card's number is
// no label.
type simCollector struct{ sims SIMs }

// Describe sends nothing: an unchecked collector, whose figures follow.
func (c *simCollector) Describe(chan<- *prometheus.Desc) {}

// Collect shows what is known of each; what nobody knows is no figure.
func (c *simCollector) Collect(to chan<- prometheus.Metric) {
	var (
		held       = desc("sim_held", "1 when the SIM in the channel may not send.", "channel")
		health     = desc("sim_health", "How the SIM in the channel fares, 0 to 100.", "channel")
		balance    = desc("sim_balance", "Balance of the SIM in the channel, as the network said last.", "channel")
		segments   = desc("sim_quota_left", "Segments that the SIM may still send, of its day or month.", "channel")
		recipients = desc("sim_recipients_left", "Different numbers that the SIM may still send to, of its month.", "channel")
	)
	for _, card := range c.sims.Cards() {
		if card.Channel == "" {
			continue
		}
		id, on := label(card.Channel), 0.0
		if card.Hold != nil {
			on = 1
		}
		put(to, held, prometheus.GaugeValue, on, id)
		if card.Health.Known {
			put(to, health, prometheus.GaugeValue, float64(card.Health.Score), id)
		}
		if a := card.Balance.Answer; a != nil && a.Read {
			put(to, balance, prometheus.GaugeValue, a.Amount, id)
		}
		if n := card.Left.Segments; n != nil {
			put(to, segments, prometheus.GaugeValue, float64(*n), id)
		}
		if n := card.Left.Recipients; n != nil {
			put(to, recipients, prometheus.GaugeValue, float64(*n), id)
		}
	}
}
