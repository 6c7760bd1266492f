package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// BankOptions say what a bank of modems is. Only Modems is needed.
type BankOptions struct {
	Modems  int
	Dir     string         // folder of the links port0, port1, ...; "" = a temporary one that Close removes
	Network NetworkOptions // Seed is taken from here too
	Latency time.Duration  // of each modem
	Jitter  float64        // of each modem
	Boot    time.Duration
	Vendors []Vendor    // in turn; none = Generic
	Card    CardOptions // of every card: PIN, Slots, NextMR; ICCID, IMSI and Number are made from the port
	Faults  []Fault     // of each modem
	Line    Line
}

// Bank is a rack of modems on one network.
type Bank struct {
	Network *Network
	Modems  []*Modem // by port

	dir    string
	ownDir bool
}

// NewBank makes a bank. Close it.
func NewBank(o BankOptions) (b *Bank, err error) {
	b = &Bank{dir: o.Dir}
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "fieldpost-sim-"); err != nil {
			return nil, fmt.Errorf("make a folder for the bank: %w", err)
		}
		b.ownDir = true
	}
	b.Network = NewNetwork(o.Network)
	for i := range o.Modems {
		m, err := Open(b.options(&o, i))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("modem of port %d: %w", i, err), b.Close())
		}
		b.Modems = append(b.Modems, m)
	}
	return b, nil
}

func (b *Bank) options(o *BankOptions, i int) Options {
	card := o.Card
	card.ICCID, card.IMSI, card.Number = "", "", ""
	vendor := Generic
	if len(o.Vendors) > 0 {
		vendor = o.Vendors[i%len(o.Vendors)]
	}
	return Options{
		Network: b.Network, Name: fmt.Sprintf("port%d", i), Link: b.Device(i), Vendor: vendor,
		IMEI: imei(i), Card: numberedCard(card, i+1), Latency: o.Latency, Jitter: o.Jitter, Boot: o.Boot, Faults: o.Faults, Line: o.Line,
	}
}

// imei makes a device's identity with its check digit (TS 23.003 §6.2.1).
func imei(n int) string {
	s := fmt.Sprintf("86000000%06d", n)
	sum := 0
	for i := range s {
		d := int(s[i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return fmt.Sprintf("%s%d", s, (10-sum%10)%10)
}

// Dir gives the folder of the links.
func (b *Bank) Dir() string { return b.dir }

// Device gives the path of a port's link.
func (b *Bank) Device(port int) string { return filepath.Join(b.dir, fmt.Sprintf("port%d", port)) }

// Close unplugs every modem, ends the network and removes a folder of its own.
// The ledger can be read afterwards.
func (b *Bank) Close() error {
	var errs []error
	for _, m := range b.Modems {
		errs = append(errs, m.Close())
	}
	errs = append(errs, b.Network.Close())
	if b.ownDir {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}
