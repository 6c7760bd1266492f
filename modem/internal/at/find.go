package at

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// PortInfo is a serial port that a device is behind.
type PortInfo struct {
	Path         string // /dev/ttyUSB0
	ByID         string // /dev/serial/by-id/..., which stays when ports are numbered anew; "" = none
	Vendor       string // USB idVendor, four hex digits; "" for a port that is not USB
	Product      string // USB idProduct
	Serial       string // USB serial number
	Manufacturer string // USB, in words
	Model        string // USB product, in words
	Interface    int    // USB interface number: the ports of one modem differ by it; -1 for none
	Driver       string // of the kernel: option, cdc_acm, ftdi_sio, ...
	USBPath      string // where it is plugged in, such as 1-1.4; the same for all ports of a modem
}

// Name gives the path that a configuration should hold.
func (p PortInfo) Name() string {
	if p.ByID != "" {
		return p.ByID
	}
	return p.Path
}

// Finder finds ports by what the kernel says in sysfs, and opens none: the
// library's enumeration opens, and so resets, ports in use (S6).
type Finder struct {
	Sys string // "" = /sys
	Dev string // "" = /dev
}

// Find gives the ports, sorted by path. Ports without hardware behind them are left
// out. A device that vanishes meanwhile is left out too.
func (f Finder) Find() ([]PortInfo, error) {
	sys, dev := f.Sys, f.Dev
	if sys == "" {
		sys = "/sys"
	}
	if dev == "" {
		dev = "/dev"
	}
	class := filepath.Join(sys, "class/tty")
	entries, err := os.ReadDir(class)
	if err != nil {
		return nil, err
	}
	byID := links(filepath.Join(dev, "serial/by-id"))
	var found []PortInfo
	for _, e := range entries {
		p, ok := inspect(filepath.Join(class, e.Name()))
		if !ok {
			continue
		}
		p.Path = filepath.Join(dev, e.Name())
		p.ByID = byID[e.Name()]
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b PortInfo) int { return compareNatural(a.Path, b.Path) })
	return found, nil
}

// inspect reads what is known of one tty. Those without a device are terminals; those
// of driver serial8250 with type 0 are places for a chip that is not there.
func inspect(dir string) (PortInfo, bool) {
	device, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return PortInfo{}, false
	}
	p := PortInfo{Interface: -1}
	if d, err := os.Readlink(filepath.Join(device, "driver")); err == nil {
		p.Driver = filepath.Base(d)
	}
	if word(dir, "type") == "0" {
		return PortInfo{}, false
	}
	for at := device; len(at) > 1; at = filepath.Dir(at) {
		if n, err := strconv.ParseInt(word(at, "bInterfaceNumber"), 16, 16); err == nil && p.Interface < 0 {
			p.Interface = int(n)
		}
		if v := word(at, "idVendor"); v != "" {
			p.Vendor, p.Product, p.Serial = v, word(at, "idProduct"), word(at, "serial")
			p.Manufacturer, p.Model = word(at, "manufacturer"), word(at, "product")
			p.USBPath = filepath.Base(at)
			break
		}
	}
	return p, true
}

// word reads a small file of sysfs; "" where there is none.
func word(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "?"))
}

// links maps the names of devices to the links that lead to them.
func links(dir string) map[string]string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	m := make(map[string]string, len(entries))
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if to, err := os.Readlink(path); err == nil {
			m[filepath.Base(to)] = path
		}
	}
	return m
}

// compareNatural puts ttyUSB2 before ttyUSB10.
func compareNatural(a, b string) int {
	ta, na := tail(a)
	tb, nb := tail(b)
	if ta == tb && na != nb {
		return na - nb
	}
	return strings.Compare(a, b)
}

func tail(s string) (string, int) {
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	n, err := strconv.Atoi(s[i:])
	if err != nil {
		return s, 0
	}
	return s[:i], n
}
