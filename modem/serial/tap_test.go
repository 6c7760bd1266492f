package serial

import (
	"io"
	"strings"
	"sync"

	"fieldpost/modem/internal/at"
	"fieldpost/modem/sim"
)

// tap stands between the driver and its modem, and answers some commands itself.
type tap struct {
	answer func(cmd string) (reply string, mine bool) // under mu

	mu sync.Mutex
}

func (a *tap) Open(path string, baud int) (io.ReadWriteCloser, error) {
	c, err := at.Ports{}.Open(path, baud)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, c)
		w.CloseWithError(err)
	}()
	return &tapped{Conn: c, tap: a, r: r, w: w}, nil
}

type tapped struct {
	at.Conn
	tap *tap
	r   *io.PipeReader
	w   *io.PipeWriter
}

func (c *tapped) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *tapped) Write(p []byte) (int, error) {
	c.tap.mu.Lock()
	reply, mine := c.tap.answer(strings.Trim(string(p), "\r\n"))
	c.tap.mu.Unlock()
	if !mine {
		return c.Conn.Write(p)
	}
	if reply != "" {
		if _, err := io.WriteString(c.w, reply); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (c *tapped) Close() error {
	err := c.Conn.Close()
	c.r.Close()
	return err
}

func tapping(answer func(cmd string) (string, bool)) tweak {
	return func(o *Options, _ *sim.Options) { o.Open = &tap{answer: answer} }
}
