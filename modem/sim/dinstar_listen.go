package sim

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// listen binds the gateway's address and serves it.
func (d *Dinstar) listen() error {
	l, err := net.Listen("tcp", d.o.Listen)
	if err != nil {
		return fmt.Errorf("listen as a gateway: %w", err)
	}
	d.addr = l.Addr()
	d.server = &http.Server{
		Handler: d.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	d.wg.Add(1)
	go func() {
		defer d.wg.Done()
		_ = d.server.Serve(phrased{l, &d.cable}) // it always ends with an error: the server was closed
	}()
	return nil
}

// phrased is a listener whose connections say "200 Data follows", as the gateway's web
// server does: net/http writes its own reason phrases only.
type phrased struct {
	net.Listener
	cable *cable
}

func (l phrased) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.cable.carry(c) {
			return phrasedConn{c, l.cable}, nil
		}
		_ = c.Close()
	}
}

type phrasedConn struct {
	net.Conn
	cable *cable
}

func (c phrasedConn) Close() error {
	c.cable.drop(c.Conn)
	return c.Conn.Close()
}

// The head of an answer is the beginning of a Write: the server flushes after each answer.
var (
	plainHead   = []byte("HTTP/1.1 200 OK\r\n")
	phrasedHead = []byte("HTTP/1.1 200 Data follows\r\n")
)

func (c phrasedConn) Write(b []byte) (int, error) {
	rest, found := bytes.CutPrefix(b, plainHead)
	if !found {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(append(phrasedHead[:len(phrasedHead):len(phrasedHead)], rest...))
	return max(0, n-len(phrasedHead)+len(plainHead)), err
}
