package api

import (
	"io"
	"net/http"
	"time"
)

// Times of a request, on the connection that it came on. net/http's own are for
// the whole request, and a base may take hours.
const (
	bodyTime   = 10 * time.Second // to send a body that is no file
	answerTime = time.Minute      // to take an answer that is no stream, or the next piece of one
)

// pace bounds how long a request may take to come and its answer to go. A recorder
// of a test has no deadlines: its own end bounds it.
func pace(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(answerTime)) // an earlier answer on this connection left its own
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(bodyTime))
	r.Body = &paced{r.Body, c}
}

// paced is a body with a deadline for all of it. At its end the deadline goes: from
// then on net/http reads the connection to learn whether the caller is still there,
// and a deadline that passes would look like a caller who left, in the middle of a
// dialogue with a network that takes its time.
type paced struct {
	io.ReadCloser
	c *http.ResponseController
}

// Read reads.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if err == io.EOF {
		_ = p.c.SetReadDeadline(time.Time{})
	}
	return n, err
}
