package at

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/creack/pty"

	"fieldpost/gateway"
)

func openPty(t *testing.T) (master *os.File, path string) {
	t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		t.Fatalf("a pty is needed: %v", err)
	}
	path = s.Name()
	t.Cleanup(func() { m.Close() })
	t.Cleanup(func() { s.Close() })
	return m, path
}

func TestPortsOpenCarriesBytesBothWays(t *testing.T) {
	m, path := openPty(t)
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Write([]byte("AT\r")); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(m).ReadString('\r'); err != nil || got != "AT\r" {
		t.Errorf("%q, %v", got, err)
	}
}

// Nobody drains the far end: the write fills the tty's buffer and waits for ever.
func TestPortsCloseEndsABlockedWriteS8(t *testing.T) {
	_, path := openPty(t)
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := p.Write(make([]byte, 1<<20))
		ended <- err
	}()
	p.Close()
	if err := <-ended; err == nil {
		t.Error("a megabyte went into a tty that nobody reads")
	}
	if _, err := p.Write([]byte("AT\r")); !errors.Is(err, os.ErrClosed) { // S2
		t.Errorf("after Close: %v", err)
	}
}

// S1: select knows descriptors up to 1023 only.
func TestPortsReadBehindDescriptor1023S1(t *testing.T) {
	m, path := openPty(t)
	var held []*os.File
	defer func() {
		for _, f := range held {
			f.Close()
		}
	}()
	for len(held) < 1100 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("1,100 descriptors are needed: %v", err)
			}
			t.Skipf("this machine allows few descriptors: %v", err)
		}
		held = append(held, f)
	}
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := m.Write([]byte("OK")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 8)
	if n, err := p.Read(buf); err != nil || string(buf[:n]) != "OK" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

func TestPortsSayThatADeviceIsGone(t *testing.T) {
	m, path := openPty(t)
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m.Close()
	if _, err := p.Read(make([]byte, 8)); err == nil || err.Error() != "the device is gone" {
		t.Errorf("got %v", err)
	}
}

func TestPortsRefuseASecondChannelOnAPort(t *testing.T) {
	_, path := openPty(t)
	link := filepath.Join(t.TempDir(), "by-id")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Ports{}.Open(link, 0)
	if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), "another channel") {
		t.Errorf("got %v", err)
	}
	p.Close()
	again, err := Ports{}.Open(link, 0)
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	again.Close()
}

// The test runs itself as the other process.
func TestPortsNameTheProcessThatHoldsAPort(t *testing.T) {
	if path := os.Getenv("HOLD_PORT"); path != "" {
		hold(path)
		return
	}
	_, path := openPty(t)
	other := exec.Command(os.Args[0], "-test.run=^TestPortsNameTheProcessThatHoldsAPort$")
	other.Env = append(os.Environ(), "HOLD_PORT="+path)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer in.Close()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q", line)
	}
	_, err = Ports{}.Open(path, 0)
	if gateway.KindOf(err) != gateway.KindConflict {
		t.Fatalf("got %v", err)
	}
	if want := "process " + strconv.Itoa(other.Process.Pid); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not name %q", err, want)
	}
}

func hold(path string) {
	p, err := Ports{}.Open(path, 0)
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		return
	}
	defer p.Close()
	os.Stdout.WriteString("held\n")
	os.Stdin.Read(make([]byte, 1))
}

func TestPortsExplainWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		kind gateway.Kind
		say  string
	}{
		{filepath.Join(t.TempDir(), "ttyUSB9"), gateway.KindUnavailable, "no such device"},
		{file, gateway.KindInvalid, "not a serial port"},
	}
	for _, test := range tests {
		_, err := Ports{}.Open(test.path, 0)
		if gateway.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.say) {
			t.Errorf("%s: got %v", test.path, err)
		}
	}
}

func TestHolderReadsLockFilesOfTheLiving(t *testing.T) {
	proc, locks := t.TempDir(), t.TempDir()
	write(t, filepath.Join(proc, "77/comm"), "gammu-smsd\n")
	write(t, filepath.Join(locks, "LCK..ttyUSB3"), "        77\n")
	write(t, filepath.Join(locks, "LCK..ttyUSB4"), "        78\n")
	p := Ports{Proc: proc, Locks: locks}
	if h, ok := p.Holder("/dev/ttyUSB3"); !ok || h != (Process{77, "gammu-smsd"}) {
		t.Errorf("%+v, %t", h, ok)
	}
	if h, ok := p.Holder("/dev/ttyUSB4"); ok {
		t.Errorf("a dead process holds the port: %+v", h)
	}
}

// A port that another program holds says which, and what to do about it.
func TestPortThatIsHeldSaysWhatToDo(t *testing.T) {
	proc, locks := t.TempDir(), t.TempDir()
	p := Ports{Proc: proc, Locks: locks}
	for name, want := range map[string]string{
		"ModemManager": "70-fieldpost.rules", "gammu-smsd": "in use by gammu-smsd (process 77): stop that program",
	} {
		write(t, filepath.Join(proc, "77/comm"), name+"\n")
		write(t, filepath.Join(locks, "LCK..ttyUSB3"), "77\n")
		err := p.held("/dev/ttyUSB3")
		if gateway.KindOf(err) != gateway.KindConflict || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.held("/dev/ttyUSB4"); !strings.Contains(err.Error(), "fuser -v /dev/ttyUSB4") {
		t.Errorf("one that is not seen: %v", err)
	}
}

func TestFindReadsSysfsAndOpensNothingS6(t *testing.T) {
	root := t.TempDir()
	sys, dev := filepath.Join(root, "sys"), filepath.Join(root, "dev")
	usb := filepath.Join(sys, "devices/usb1/1-1/1-1.4")
	write(t, filepath.Join(usb, "idVendor"), "12d1\n")
	write(t, filepath.Join(usb, "idProduct"), "1001\n")
	write(t, filepath.Join(usb, "serial"), "0123\n")
	write(t, filepath.Join(usb, "product"), "HUAWEI Mobile\n")
	for i, tty := range []string{"ttyUSB10", "ttyUSB2"} {
		intf := filepath.Join(usb, "1-1.4:1."+strconv.Itoa(i))
		write(t, filepath.Join(intf, "bInterfaceNumber"), "0"+strconv.Itoa(i)+"\n")
		write(t, filepath.Join(intf, tty, "tty", tty, "dev"), "188:0\n")
		link(t, filepath.Join(sys, "bus/usb-serial/drivers/option1"), filepath.Join(intf, tty, "driver"))
		link(t, filepath.Join(intf, tty), filepath.Join(sys, "class/tty", tty, "device"))
	}
	link(t, "../../ttyUSB2", filepath.Join(dev, "serial/by-id/usb-HUAWEI-if01-port0"))
	write(t, filepath.Join(sys, "devices/platform/serial8250/tty/ttyS0/type"), "0\n")
	write(t, filepath.Join(sys, "devices/platform/serial8250/tty/ttyS0/x"), "")
	link(t, filepath.Join(sys, "devices/platform/serial8250"), filepath.Join(sys, "devices/platform/serial8250/tty/ttyS0/device"))
	link(t, filepath.Join(sys, "devices/platform/serial8250/tty/ttyS0"), filepath.Join(sys, "class/tty/ttyS0"))
	write(t, filepath.Join(sys, "class/tty/tty1/dev"), "4:1\n")

	found, err := Finder{Sys: sys, Dev: dev}.Find()
	if err != nil {
		t.Fatal(err)
	}
	base := PortInfo{Vendor: "12d1", Product: "1001", Serial: "0123", Model: "HUAWEI Mobile", Driver: "option1", USBPath: "1-1.4"}
	two, ten := base, base
	two.Path, two.Interface, two.ByID = filepath.Join(dev, "ttyUSB2"), 1, filepath.Join(dev, "serial/by-id/usb-HUAWEI-if01-port0")
	ten.Path, ten.Interface = filepath.Join(dev, "ttyUSB10"), 0
	if !slices.Equal(found, []PortInfo{two, ten}) {
		t.Errorf("found %+v\nwant  %+v", found, []PortInfo{two, ten})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
