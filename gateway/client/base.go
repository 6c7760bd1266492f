package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Upload is a CSV file that the box took, and how far it is loaded.
type Upload struct {
	Upload        string     `json:"upload" example:"b3f1c2d4" doc:"Id of the upload"`
	Kind          string     `json:"kind" enum:"base,blacklist" example:"base"`
	Campaign      string     `json:"campaign,omitempty" example:"alerts" doc:"Campaign of rows that name none"`
	Name          string     `json:"name,omitempty" example:"november.csv"`
	State         string     `json:"state" enum:"loading,done,failed" example:"done"`
	Error         string     `json:"error,omitempty" doc:"Why it failed"`
	Bytes         int64      `json:"bytes" example:"81" doc:"Size of the file"`
	Offset        int64      `json:"offset" example:"81" doc:"Bytes loaded so far"`
	Line          int        `json:"line" example:"3" doc:"Lines loaded so far"`
	Accepted      int        `json:"accepted" example:"2" doc:"Rows that are stored"`
	Invalid       int        `json:"invalid" required:"false" doc:"Of the accepted: rows that can never be sent, such as those with no valid number"`
	Rejected      []BadLine  `json:"rejected" nullable:"false" doc:"The first 1000 refused rows"`
	RejectedTotal int        `json:"rejected_total" example:"1" doc:"All refused rows"`
	Duplicates    int        `json:"duplicates"`
	Agent         string     `json:"agent,omitempty"`
	Held          bool       `json:"held,omitempty" doc:"Its rows wait until they are released"`
	Created       time.Time  `json:"created" example:"2030-01-02T08:00:00Z"`
	Finished      *time.Time `json:"finished,omitempty" example:"2030-01-02T08:00:01Z"`
}

// BadLine is a refused row.
type BadLine struct {
	Line   int    `json:"line" example:"2" doc:"1-based"`
	Reason string `json:"reason" example:"priority: 12a is no number from 0 to 65535"`
}

// File is a CSV file to upload. It is sent as it is read.
type File struct {
	Reader   io.Reader
	Name     string           // shown with the upload
	Upload   string           // id: the same file with the same id adds nothing; "" = the box makes one
	Agent    string           // who uploads
	Held     bool             // its rows wait for Release; not for a blacklist
	Size     int64            // bytes; 0 = not known
	Progress func(sent int64) // called after each chunk, from the goroutine that sends
}

// UploadBase sends a CSV base for a campaign and returns when the file is safe
// on the box's disk. A large one is then loaded in the background: poll Upload
// until its state is not "loading".
func (c *Client) UploadBase(ctx context.Context, campaign string, f File) (Upload, error) {
	return c.upload(ctx, campaignPath(campaign)+"/bases", f)
}

// UploadBlacklist sends a CSV of numbers to block ("phone;campaign").
func (c *Client) UploadBlacklist(ctx context.Context, f File) (Upload, error) {
	return c.upload(ctx, "/blacklist/bases", f)
}

// Upload tells how far a base is loaded.
func (c *Client) Upload(ctx context.Context, id string) (Upload, error) {
	return get[Upload](ctx, c, "/bases/"+url.PathEscape(id), nil)
}

func (c *Client) upload(ctx context.Context, path string, f File) (Upload, error) {
	v := url.Values{}
	set(v, "name", f.Name)
	set(v, "upload", f.Upload)
	set(v, "agent", f.Agent)
	if f.Held {
		v.Set("held", "true")
	}
	var out Upload
	err := c.do(ctx, call{
		method: http.MethodPost,
		path:   path,
		query:  v,
		body:   &counted{r: f.Reader, progress: f.Progress},
		size:   f.Size,
		kind:   "text/csv",
		out:    &out,
		long:   true,
	})
	return out, err
}

// counted tells how much was read.
type counted struct {
	r        io.Reader
	n        int64
	progress func(int64)
}

// Read reads and tells.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if n > 0 && c.progress != nil {
		c.progress(c.n)
	}
	return n, err
}
