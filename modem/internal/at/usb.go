package at

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// usbReset is USBDEVFS_RESET: _IO('U', 20) of linux/usbdevice_fs.h.
const usbReset = 0x5514

// modems are the kernel's drivers of ports that a modem itself has. Other ports belong to
// adapters, which may have a modem at each of theirs.
var modems = [...]string{"option", "option1", "qcserial", "sierra", "cdc_acm", "hso", "ipw"}

// Modem says that the port belongs to a USB modem, and with it all ports of the device.
func (p PortInfo) Modem() bool { return p.USBPath != "" && slices.Contains(modems[:], p.Driver) }

// USB resets USB devices, where this process may.
type USB struct {
	Sys string // "" = /sys
	Dev string // "" = /dev
}

// Reset resets the device at a USB path such as 1-1.4, as if it had been pulled out and
// put in. The error says what this process may not do.
func (u USB) Reset(path string) error {
	sys, dev := u.Sys, u.Dev
	if sys == "" {
		sys = "/sys"
	}
	if dev == "" {
		dev = "/dev"
	}
	dir := filepath.Join(sys, "bus/usb/devices", filepath.Base(path))
	err := reset(dir, dev)
	if err == nil {
		return nil
	}
	if again := authorize(filepath.Join(dir, "authorized")); again != nil {
		return errors.Join(err, again)
	}
	return nil
}

// reset asks the kernel through the device's node.
func reset(dir, dev string) error {
	bus, err1 := strconv.Atoi(word(dir, "busnum"))
	num, err2 := strconv.Atoi(word(dir, "devnum"))
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%s has no number on its bus", filepath.Base(dir))
	}
	f, err := os.OpenFile(filepath.Join(dev, fmt.Sprintf("bus/usb/%03d/%03d", bus, num)), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = unix.IoctlSetInt(int(fd), usbReset, 0) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("reset %s: %w", f.Name(), failed)
	}
	return nil
}

// authorize takes the device's right to be used away and gives it back, which has its
// drivers let go and take hold again (Documentation/usb/authorization of the kernel).
func authorize(path string) error {
	for _, v := range []string{"0", "1"} {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(v)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
