package at

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Process is one that holds a port.
type Process struct {
	PID  int
	Name string // as in /proc/PID/comm
}

// Holder gives the process that holds a port: another one that has it open, or the
// living owner of a UUCP lock file, or this one. It sees what this user may see.
func (p Ports) Holder(path string) (Process, bool) {
	real := resolve(path)
	self := os.Getpid()
	var own bool
	for _, pid := range p.pids() {
		if !p.has(pid, real) {
			continue
		}
		if pid == self {
			own = true
		} else if !isPty(real) || p.flocks(pid, real) {
			return Process{PID: pid, Name: p.name(pid)}, true
		}
	}
	if pid, ok := p.locker(real); ok && pid != self {
		return Process{PID: pid, Name: p.name(pid)}, true
	}
	return Process{PID: self, Name: p.name(self)}, own
}

func (p Ports) proc() string {
	if p.Proc == "" {
		return "/proc"
	}
	return p.Proc
}

func (p Ports) pids() []int {
	d, err := os.Open(p.proc())
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// has says that a process has a path open.
func (p Ports) has(pid int, path string) bool {
	dir := filepath.Join(p.proc(), strconv.Itoa(pid), "fd")
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, n := range names {
		if to, err := os.Readlink(filepath.Join(dir, n)); err == nil && to == path {
			return true
		}
	}
	return false
}

// flocks says that a process has locked a path: a line of /proc/locks names the
// process and, at its end, the inode.
func (p Ports) flocks(pid int, path string) bool {
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil {
		return false
	}
	locks, err := os.ReadFile(filepath.Join(p.proc(), "locks"))
	if err != nil {
		return false
	}
	inode := ":" + strconv.FormatUint(st.Ino, 10)
	for _, line := range strings.Split(string(locks), "\n") {
		f := strings.Fields(line)
		if len(f) > 5 && f[1] == "FLOCK" && f[4] == strconv.Itoa(pid) && strings.HasSuffix(f[5], inode) {
			return true
		}
	}
	return false
}

// locker gives the living owner of the port's UUCP lock file (FHS §5.9).
func (p Ports) locker(path string) (int, bool) {
	dir := p.Locks
	if dir == "" {
		dir = "/run/lock"
	}
	b, err := os.ReadFile(filepath.Join(dir, "LCK.."+filepath.Base(path)))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil || pid <= 0 {
		return 0, false
	}
	_, err = os.Stat(filepath.Join(p.proc(), strconv.Itoa(pid)))
	return pid, err == nil
}

func (p Ports) name(pid int) string {
	b, err := os.ReadFile(filepath.Join(p.proc(), strconv.Itoa(pid), "comm"))
	if err != nil {
		return "unknown"
	}
	return printable(strings.TrimSpace(string(b)))
}
