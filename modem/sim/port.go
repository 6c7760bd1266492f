package sim

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// patience is how long an answer waits for a driver that does not read, before
// the rest of it is lost like characters at an overrun.
const patience = 2 * time.Second

// port is one plug of a modem: a pty from the time that the device appears until
// it vanishes. The slave stays open on our side, so that a driver may close and open
// it as it likes, as with a tty.
type port struct {
	path  string
	gone  chan struct{} // closed when the device vanished
	pace  time.Duration // per byte written
	wire  *spoiler
	raw   func(func(fd uintptr) bool) error
	tty   *os.File
	slave *os.File

	hung atomic.Bool // the modem hangs: it says and hears nothing

	once sync.Once
	mu   sync.Mutex // one writer at a time
}

// openPort makes a pty in raw mode.
//
// The master is used through the poller: a read that blocks in the kernel would
// keep the pty alive after its file was closed, and the driver would see no hang-up.
// creack/pty leaves it in blocking mode, so the descriptor is taken over.
func openPort(pace time.Duration, wire *spoiler) (*port, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a pty: %w", err)
	}
	defer master.Close()
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err == nil {
		err = rawMode(int(slave.Fd()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the pty %s: %w", slave.Name(), err), slave.Close())
	}
	tty := os.NewFile(uintptr(fd), "ptmx")
	conn, err := tty.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, tty.Close(), slave.Close())
	}
	return &port{
		path: slave.Name(), gone: make(chan struct{}), pace: pace, wire: wire, raw: conn.Write, tty: tty, slave: slave,
	}, nil
}

// rawMode makes the slave a line without echo and editing, so that nothing that
// is written before a driver opens it comes back.
func rawMode(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// close makes the device vanish: the driver reads an end or an error.
func (p *port) close() {
	p.once.Do(func() {
		close(p.gone)
		p.slave.Close()
		p.tty.Close()
	})
}

// share takes TIOCEXCL off the line. The tty lives on when its driver is killed,
// because our side is open, and would refuse the next one for ever.
func (p *port) share() {
	conn, err := p.slave.SyscallConn()
	if err != nil {
		return // it vanished
	}
	_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) }) // at worst the next driver hears "busy"
}

func (p *port) read(b []byte) (int, error) { return p.tty.Read(b) }

// answer writes b and waits for a driver that is slow to read, up to patience.
func (p *port) answer(b []byte) {
	if p.hung.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b = p.wire.spoil(b)
	if p.pace > 0 {
		p.crawl(b)
		return
	}
	if n := p.try(b); n < len(b) {
		_ = p.tty.SetWriteDeadline(time.Now().Add(patience))
		_, _ = p.tty.Write(b[n:]) // what a driver does not read is lost
		_ = p.tty.SetWriteDeadline(time.Time{})
	}
}

// announce writes b if the line takes it now: a URC waits for nobody.
func (p *port) announce(b []byte) {
	if p.hung.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b = p.wire.spoil(b)
	if p.pace > 0 {
		p.crawl(b)
		return
	}
	p.try(b)
}

// try writes what the line takes at once.
func (p *port) try(b []byte) (n int) {
	_ = p.raw(func(fd uintptr) bool {
		for n < len(b) {
			m, err := unix.Write(int(fd), b[n:])
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				break
			}
			n += m
		}
		return true
	})
	return n
}

// crawl writes byte by byte.
func (p *port) crawl(b []byte) {
	tick := time.NewTicker(p.pace)
	defer tick.Stop()
	for i := range b {
		select {
		case <-tick.C:
			p.try(b[i : i+1])
		case <-p.gone:
			return
		}
	}
}
