package sim

import (
	"net"
	"sync"
)

// cable is what connects a gateway to the local network.
type cable struct {
	mu    sync.Mutex
	out   bool // nobody is reached
	conns map[net.Conn]struct{}
}

// carry takes a connection, and false while the cable is out.
func (c *cable) carry(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return false
	}
	if c.conns == nil {
		c.conns = map[net.Conn]struct{}{}
	}
	c.conns[conn] = struct{}{}
	return true
}

func (c *cable) drop(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}

// Unplug takes the network cable out of the gateway: its connections are cut, and new ones
// closed at once. It has its power, and goes on with what it took.
func (d *Dinstar) Unplug() {
	c := &d.cable
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = true
	for conn := range c.conns {
		_ = conn.Close() // the server finds out
	}
	clear(c.conns)
}

// Replug puts the cable in again.
func (d *Dinstar) Replug() {
	d.cable.mu.Lock()
	defer d.cable.mu.Unlock()
	d.cable.out = false
}
