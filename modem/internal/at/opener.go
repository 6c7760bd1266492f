package at

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.bug.st/serial"

	"fieldpost/gateway"
)

// DefaultBaud is the speed of a port whose configuration names none. USB modems
// ignore it.
const DefaultBaud = 115200

// Conn is an open port.
type Conn = io.ReadWriteCloser

// Opener opens ports. The zero Ports does it for real.
type Opener interface {
	// Open opens a port for this process alone. A port that is not there is of kind
	// unavailable, one that another process holds of kind conflict, and its text names
	// that process.
	Open(path string, baud int) (io.ReadWriteCloser, error)
}

// Ports opens serial devices.
type Ports struct {
	Proc  string // "" = /proc
	Locks string // directory of UUCP lock files; "" = /run/lock
}

// Open locks the device with flock, looks for other holders, and has the library
// set it up: raw, speed, TIOCEXCL. The lock comes first, since TIOCEXCL does not stop a
// process of root. Bytes go through our own descriptor and Go's poller: the library's Read
// keeps a thread in select for each port, panics above descriptor 1023 (S1), and its
// Write has no end and may hit another file after Close (S2, S8). A message costs
// two fifths less processor time this way.
func (p Ports) Open(path string, baud int) (io.ReadWriteCloser, error) {
	file, err := p.lock(path)
	if err != nil {
		return nil, err
	}
	if baud == 0 {
		baud = DefaultBaud
	}
	port, err := serial.Open(path, &serial.Mode{BaudRate: baud})
	if err != nil {
		file.Close()
		return nil, p.explain(path, err)
	}
	return &opened{File: file, port: port}, nil
}

// opened is an open port: the descriptor with the lock, which carries the bytes, and
// the library's, which keeps the settings and the exclusive access.
type opened struct {
	*os.File
	port serial.Port
}

// ErrGone is what a hang-up of the tty means.
var ErrGone = errors.New("the device is gone")

// Read reads, and says in words that the device was unplugged.
func (o *opened) Read(p []byte) (int, error) {
	n, err := o.File.Read(p)
	if err == io.EOF || errors.Is(err, syscall.EIO) {
		err = ErrGone
	}
	return n, err
}

// Close ends reads and writes in progress, and gives the port back.
func (o *opened) Close() error {
	err := o.port.Close()
	return errors.Join(err, o.File.Close())
}

func (p Ports) lock(path string) (*os.File, error) {
	// O_NONBLOCK: the open must not wait for a carrier, and the poller needs it.
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, p.explain(path, err)
	}
	if err := p.claim(f, path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (p Ports) claim(f *os.File, path string) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return p.explain(path, err)
	}
	var taken error
	if err := raw.Control(func(fd uintptr) {
		taken = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
	}); err != nil {
		return p.explain(path, err)
	}
	if taken != nil {
		return p.held(path)
	}
	if isPty(resolve(path)) {
		return nil
	}
	if h, ok := p.Holder(path); ok && h.PID != os.Getpid() {
		return conflict(path, h) // one that takes no lock, such as a terminal program
	}
	return nil
}

// explain turns the error of an open into one that says what to do.
func (p Ports) explain(path string, err error) error {
	var e *serial.PortError
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.ENXIO):
		return &gateway.Error{Kind: gateway.KindUnavailable, Field: "device", Text: path + ": no such device: is the modem plugged in?", Err: err}
	case errors.Is(err, os.ErrPermission), errors.As(err, &e) && e.Code() == serial.PermissionDenied:
		return &gateway.Error{Kind: gateway.KindForbidden, Field: "device", Text: path + ": no permission: this user must be in the group dialout", Err: err}
	case errors.Is(err, syscall.EBUSY), errors.As(err, &e) && e.Code() == serial.PortBusy:
		return p.held(path)
	case errors.Is(err, syscall.ENOTTY), errors.As(err, &e) && e.Code() == serial.InvalidSerialPort:
		return &gateway.Error{Kind: gateway.KindInvalid, Field: "device", Text: path + ": not a serial port", Err: err}
	}
	return &gateway.Error{Kind: gateway.KindUnavailable, Field: "device", Text: fmt.Sprintf("%s: %v", path, err), Err: err}
}

func (p Ports) held(path string) error {
	h, ok := p.Holder(path)
	if !ok {
		return &gateway.Error{Kind: gateway.KindConflict, Field: "device", Text: path + ": in use by a process that this user cannot see: as root, fuser -v " + path + " names it; often it is " + modemManager}
	}
	return conflict(path, h)
}

// modemManager asks every port that looks like a modem's what it is, and keeps it.
const modemManager = "ModemManager"

func conflict(path string, h Process) error {
	text := fmt.Sprintf("%s: in use by %s (process %d)", path, h.Name, h.PID)
	switch {
	case h.PID == os.Getpid():
		text = path + ": in use by another channel of this process"
	case h.Name == modemManager:
		text += ": put the udev rule 70-fieldpost.rules in place and plug the modem in anew, or systemctl disable --now " + modemManager
	default:
		text += ": stop that program, or take the port away from it"
	}
	return &gateway.Error{Kind: gateway.KindConflict, Field: "device", Text: text}
}

// resolve follows links such as those in /dev/serial/by-id.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// isPty says that a path is the near end of a pseudo terminal: who opened its far end
// often keeps the near one open too, and holds nothing.
func isPty(path string) bool { return strings.HasPrefix(path, "/dev/pts/") }
