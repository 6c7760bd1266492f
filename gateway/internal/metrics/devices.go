package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"fieldpost/modem"
)

// Devices gives what the devices told of themselves last, by provider. It asks none.
type Devices interface {
	Conditions() map[string]modem.Condition
}

// deviceCollector shows the devices that tell of themselves.
type deviceCollector struct{ bank Devices }

// Describe sends nothing: an unchecked collector, whose figures follow.
func (c *deviceCollector) Describe(chan<- *prometheus.Desc) {}

// Collect shows what was told last.
func (c *deviceCollector) Collect(to chan<- prometheus.Metric) {
	var (
		queue  = desc("device_queue_messages", "Messages that wait in the device, whoever sent them.", "provider")
		cpu    = desc("device_cpu_ratio", "Load of the device's processor, 0 to 1.", "provider")
		used   = desc("device_store_used_bytes", "Bytes in use of the device's memory and flash.", "provider", "store")
		total  = desc("device_store_bytes", "Size of the device's memory and flash.", "provider", "store")
		stores = func(provider, name string, s modem.Store) {
			if s.Total > 0 {
				put(to, used, prometheus.GaugeValue, float64(s.Used), provider, name)
				put(to, total, prometheus.GaugeValue, float64(s.Total), provider, name)
			}
		}
	)
	for name, d := range c.bank.Conditions() {
		provider := label(name)
		if d.Queued {
			put(to, queue, prometheus.GaugeValue, float64(d.Queue), provider)
		}
		if d.Memory.Total > 0 { // told together
			put(to, cpu, prometheus.GaugeValue, float64(d.CPU)/100, provider)
		}
		stores(provider, "memory", d.Memory)
		stores(provider, "flash", d.Flash)
	}
}
