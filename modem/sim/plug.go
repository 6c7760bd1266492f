package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fieldpost/gateway"
)

// Await waits until the device is there.
func (m *Modem) Await(ctx context.Context) error {
	m.mu.Lock()
	if m.port != nil {
		m.mu.Unlock()
		return nil
	}
	if m.appear == nil {
		m.appear = make(chan struct{})
	}
	appear := m.appear
	m.mu.Unlock()
	select {
	case <-appear:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Unplug takes the device away: the driver's port hangs up and the link is gone.
func (m *Modem) Unplug() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.back != nil {
		m.back.Stop()
		m.back = nil
	}
	m.unplug()
}

func (m *Modem) unplug() {
	if m.port == nil {
		return
	}
	if m.link != "" {
		_ = os.Remove(m.link) // it points nowhere as it is
	}
	m.port.close()
	m.port = nil
}

// Replug brings the device back, under the same link, as after power-up.
func (m *Modem) Replug() error { return m.ReplugAs("") }

// ReplugAs brings the device back under another link; "" keeps the one it had.
func (m *Modem) ReplugAs(link string) error {
	m.mu.Lock()
	m.unplug()
	if link != "" {
		m.link = link
	}
	m.powerUp()
	m.mu.Unlock()
	return m.plug(true)
}

// plug makes the port and starts to read it.
func (m *Modem) plug(announce bool) error {
	p, err := openPort(m.o.Line.Pace, m.wire)
	if err != nil {
		return err
	}
	m.mu.Lock()
	if m.closed || m.port != nil {
		m.mu.Unlock()
		p.close()
		return gateway.Errorf(gateway.KindConflict, "the modem is closed, or plugged in already")
	}
	if err := relink(m.link, p.path); err != nil {
		m.mu.Unlock()
		p.close()
		return err
	}
	before, done := m.reader, make(chan struct{})
	m.port, m.reader = p, done
	if m.appear != nil {
		close(m.appear)
		m.appear = nil
	}
	m.wg.Add(1)
	m.mu.Unlock()
	go m.serve(p, before, done)
	if announce {
		m.urc(p, m.prof.boot...)
		m.announceReady(p)
	}
	m.arrive()
	return nil
}

// relink points a link at a path, in one step.
func relink(link, path string) error {
	if link == "" {
		return nil
	}
	next := filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+".new")
	if err := os.Symlink(path, next); err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	if err := os.Rename(next, link); err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	return nil
}

// restart lets the device vanish and come back after its boot time
// (AT+CFUN=1,1, TS 27.007 §8.2).
func (m *Modem) restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.unplug()
	m.back = time.AfterFunc(m.o.Boot, m.comeBack)
}

func (m *Modem) comeBack() {
	m.mu.Lock()
	away := m.back != nil && m.port == nil && !m.closed
	m.back = nil
	m.powerUp()
	if away {
		m.wg.Add(1)
	}
	m.mu.Unlock()
	if away {
		defer m.wg.Done()
		_ = m.plug(true) // a conflict means that somebody plugged it in, or closed it, first
	}
}
