package sim

import (
	"net/http"
	"testing"
	"time"
)

func TestDinstarWithoutItsCableGoesOnByItself(t *testing.T) {
	n := NewNetwork(NetworkOptions{})
	defer n.Close()
	d, err := OpenDinstar(DinstarOptions{Network: n, Password: "s3cret", Auth: DinstarBasic, Ports: 1, Latency: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ask := func() error {
		r, err := http.NewRequest("GET", d.URL()+"/api/get_port_info?info_type=imei", nil)
		if err != nil {
			return err
		}
		r.SetBasicAuth("admin", "s3cret")
		res, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	for range 2 {
		if err := ask(); err != nil {
			t.Fatalf("with its cable it gives %v", err)
		}
		d.Unplug()
		for range 3 { // over the connection that was there, and new ones
			if err := ask(); err == nil {
				t.Fatal("it answers without its cable")
			}
		}
		d.Replug()
	}
	if err := n.Deliver(Incoming{From: "+59899123456", To: d.Card(0).ICCID(), Text: "in"}); err != nil {
		t.Fatal(err)
	}
	d.Unplug()
	if w := n.Waiting(d.Card(0).ICCID()); w != 0 {
		t.Errorf("%d messages wait for a port whose gateway has no cable", w)
	}
}
