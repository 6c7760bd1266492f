package serial

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/sim"
)

// machine is a fake /sys and /dev with the ports of simulated modems.
type machine struct {
	sys, dev string
	next     int
}

func newMachine(t *testing.T) *machine {
	root := t.TempDir()
	return &machine{sys: filepath.Join(root, "sys"), dev: filepath.Join(root, "dev")}
}

// add puts a port into the machine: an interface of a USB device.
func (m *machine) add(t *testing.T, usb, driver string, target string) (path string) {
	t.Helper()
	tty := fmt.Sprintf("ttyUSB%d", m.next)
	device := filepath.Join(m.sys, "devices/usb1", usb)
	intf := filepath.Join(device, fmt.Sprintf("%s:1.%d", usb, m.next))
	put(t, filepath.Join(device, "idVendor"), "2c7c\n")
	put(t, filepath.Join(device, "idProduct"), "0125\n")
	put(t, filepath.Join(device, "authorized"), "1\n")
	put(t, filepath.Join(intf, "bInterfaceNumber"), fmt.Sprintf("%02x\n", m.next))
	point(t, filepath.Join(m.sys, "bus/usb-serial/drivers", driver), filepath.Join(intf, tty, "driver"))
	point(t, filepath.Join(intf, tty), filepath.Join(m.sys, "class/tty", tty, "device"))
	if _, err := os.Lstat(filepath.Join(m.sys, "bus/usb/devices", usb)); err != nil {
		point(t, device, filepath.Join(m.sys, "bus/usb/devices", usb))
	}
	path = filepath.Join(m.dev, tty)
	point(t, target, path)
	m.next++
	return path
}

func (m *machine) finder() *Finder {
	f := NewFinder()
	f.ports = at.Finder{Sys: m.sys, Dev: m.dev}.Find
	f.usb = at.USB{Sys: m.sys, Dev: m.dev}
	return f
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func point(t *testing.T, to, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// second gives another AT port of a rig's modem: the same device and SIM behind a pty of
// its own.
func (r *rig) second(t *testing.T, v sim.Vendor) *sim.Modem {
	t.Helper()
	m, err := sim.Open(sim.Options{Network: r.net, Vendor: v, IMEI: r.m.IMEI(), Name: r.m.Name(), Card: r.m.Card(), Link: t.TempDir() + "/second"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// Of the ports of one modem that answer, the same is chosen each time, and it is shown
// once.
func TestModemWithTwoPortsIsFoundOnce(t *testing.T) {
	for v, want := range map[sim.Vendor]string{sim.Quectel: "ttyUSB1", sim.Huawei: "ttyUSB3"} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor, s.IMEI = v, "860000000000049" })
			box, two := newMachine(t), r.second(t, v)
			box.add(t, "1-1.4", "option1", "/dev/null") // diagnostics: no AT port
			box.add(t, "1-1.4", "option1", r.m.Device())
			box.add(t, "1-1.4", "option1", "/dev/null")
			box.add(t, "1-1.4", "option1", two.Device())
			f := box.finder()
			for range 2 {
				got, err := f.Find(bg, "860000000000049")
				if err != nil || filepath.Base(got) != want {
					t.Errorf("found on %s: %v; want %s", got, err, want)
				}
				f.Forget("860000000000049")
				f.looked = time.Time{}
			}
			ports, err := f.ports()
			if err != nil {
				t.Fatal(err)
			}
			answer, best := 0, 0
			for _, p := range detect(bg, f.open, f.times, ports) {
				if p.Answers {
					answer++
				}
				if p.Best {
					best++
				}
			}
			if answer != 2 || best != 1 {
				t.Errorf("%d ports answer, %d are shown", answer, best)
			}
		})
	}
}

// counting opens ports and remembers which.
type counting struct {
	mu    sync.Mutex
	paths []string
}

func (c *counting) Open(path string, baud int) (io.ReadWriteCloser, error) {
	c.mu.Lock()
	c.paths = append(c.paths, filepath.Base(path))
	c.mu.Unlock()
	return at.Ports{}.Open(path, baud)
}

// A look for a modem opens neither a port that a channel has, nor another one of that
// modem; ports of an adapter are not one modem's.
func TestFinderOpensNoLivePort(t *testing.T) {
	t.Parallel()
	box := newMachine(t)
	f := box.finder()
	opens := &counting{}
	f.open = opens
	live := newRig(t, func(o *Options, s *sim.Options) { s.Vendor, s.IMEI, o.Finder = sim.Quectel, "860000000000049", f })
	two := live.second(t, sim.Quectel)
	serving := box.add(t, "1-1.4", "option1", live.m.Device())
	box.add(t, "1-1.4", "option1", two.Device())
	adapted := newRig(t, func(o *Options, s *sim.Options) { s.IMEI, o.Finder = "860000000000056", f })
	other := newRig(t, func(_ *Options, s *sim.Options) { s.IMEI = "860000000000064" })
	onAdapter := box.add(t, "1-1.3", "ftdi_sio", adapted.m.Device())
	box.add(t, "1-1.3", "ftdi_sio", other.m.Device())
	live.d.o.Port.Device, adapted.d.o.Port.Device = serving, onAdapter
	for _, r := range []*rig{live, adapted} {
		r.run(t)
		r.host.ready(t)
	}
	got, err := f.Find(bg, "860000000000064")
	if err != nil || filepath.Base(got) != "ttyUSB3" {
		t.Errorf("found on %s: %v", got, err)
	}
	if !slices.Equal(opens.paths, []string{"ttyUSB3"}) {
		t.Errorf("opened %q", opens.paths)
	}
	if _, err := live.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
		t.Errorf("the live one: %v", err)
	}
}

// A port that hangs is not the modem: it goes on by its other one.
func TestModemGoesOnByItsOtherPort(t *testing.T) {
	t.Parallel()
	box := newMachine(t)
	f := box.finder()
	r := newRig(t, func(o *Options, s *sim.Options) {
		s.Vendor, s.IMEI, o.Times, o.Finder = sim.Quectel, "860000000000049", deadTimes, f
	})
	two := r.second(t, sim.Quectel)
	first := box.add(t, "1-1.4", "option1", r.m.Device())
	second := box.add(t, "1-1.4", "option1", two.Device())
	r.d.o.Port.Device = first
	r.run(t)
	r.host.ready(t)
	if c := r.host.now(); c.Device != first {
		t.Fatalf("begins on %s", c.Device)
	}
	r.m.Hang(sim.Hang{})
	_, _ = r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
	r.host.until(t, "ready on the other port", func() bool {
		return r.host.ch.State == gateway.ChannelReady && r.host.ch.Device == second
	})
	if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
		t.Errorf("by the other port: %v", err)
	}
}

// The last means is the modem's USB device, where this process may: an adapter, and a
// device that another channel uses, are left alone.
func TestUSBDeviceOfAModemThatStaysDeadIsReset(t *testing.T) {
	t.Parallel()
	box := newMachine(t)
	f := box.finder()
	r := newRig(t, func(o *Options, s *sim.Options) {
		o.Times, o.Finder, o.Budget = deadTimes, f, Budget{Revivals: 3, Rest: time.Hour}
	})
	path := box.add(t, "1-1.4", "option1", r.m.Device())
	r.d.o.Port.Device = path
	r.run(t)
	r.host.ready(t)
	r.m.Hang(sim.Hang{})
	_, _ = r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0])
	r.host.until(t, "the rest", func() bool { return r.host.ch.State == gateway.ChannelResting })
	var steps []string
	for _, i := range r.d.Trace(3).Incidents {
		steps = append(steps, i.Steps...)
	}
	if n := strings.Count(strings.Join(steps, "\n"), "USB reset: the device is expected back"); n != 1 {
		t.Errorf("%d resets in %q", n, steps)
	}
	if b, _ := os.ReadFile(filepath.Join(box.sys, "bus/usb/devices/1-1.4/authorized")); !strings.HasPrefix(string(b), "1") {
		t.Errorf("the device is left with %q", b)
	}
	if err := f.resetUSB(box.add(t, "1-1.3", "ftdi_sio", "/dev/null")); gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("an adapter: %v", err)
	}
	shared := box.add(t, "1-1.4", "option1", "/dev/zero")
	release, err := f.hold(bg, shared)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := f.resetUSB(path); gateway.KindOf(err) != gateway.KindConflict {
		t.Errorf("a device that another channel uses: %v", err)
	}
}

// A look that a port holds up does not hold up a driver whose port is known, and a driver
// that wants the port being asked waits for that alone.
func TestLookHoldsUpNobodyElse(t *testing.T) {
	f := NewFinder()
	f.known["860000000000049"] = []string{"/dev/ttyUSB7"}
	f.turn <- struct{}{} // a look goes on
	if got, err := f.Find(bg, "860000000000049"); err != nil || got != "/dev/ttyUSB7" {
		t.Errorf("%s, %v", got, err)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if _, err := f.Find(ctx, "860000000000056"); err == nil {
		t.Error("an unknown modem was found")
	}
	free := f.claim([]at.PortInfo{{Path: "/dev/ttyUSB8"}})
	if _, err := f.hold(ctx, "/dev/ttyUSB8"); err == nil {
		t.Error("a port was taken while it was asked")
	}
	release, err := f.hold(bg, "/dev/ttyUSB9")
	if err != nil {
		t.Fatal(err)
	}
	release()
	f.disclaim(free[0])
	if release, err = f.hold(bg, "/dev/ttyUSB8"); err != nil {
		t.Fatal(err)
	}
	release()
}
