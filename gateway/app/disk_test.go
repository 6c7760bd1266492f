package app

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// A file on its way fills the spool's disk, whose room is watched, and no other; when
// its caller goes away nothing of it stays.
func TestAFileOnItsWayWaitsBesideTheSpool(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	files := func() int {
		list, err := os.ReadDir(filepath.Join(filepath.Dir(h.spoolPath()), "bases"))
		must(t, err)
		return len(list)
	}
	for path, kind := range map[string]string{
		"/Integra/resources/SMS/uploadbase": "application/x-www-form-urlencoded",
		"/api/v1/blacklist/bases":           "text/csv",
	} {
		c, err := net.Dial("tcp", h.address)
		must(t, err)
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 9999\r\n\r\n",
			path, h.address, h.token, kind)
		must(t, err)
		_, err = io.WriteString(c, "campaign=test1&fileb64=QUFB")
		must(t, err)
		eventually(t, path+": a file beside the spool", func() bool { return files() == 1 })
		must(t, c.Close())
		eventually(t, path+": no file any more", func() bool { return files() == 0 })
	}
}
