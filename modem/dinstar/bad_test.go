package dinstar

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem"
	"fieldpost/modem/sim"
)

// badDeeds are answers that say nothing.
func badDeeds() map[string]sim.DinstarDeed {
	return map[string]sim.DinstarDeed{
		"no answer": sim.AcceptAndDrop, "html": sim.AnswerHTML, "half": sim.HalfJSON, "cut": sim.CutBody, "types": sim.WrongTypes,
		"huge": sim.HugeBody, "status": sim.AnswerStatus, "code": sim.AnswerCode,
	}
}

func TestNoBadAnswerStopsAPort(t *testing.T) {
	for name, do := range badDeeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.DinstarOptions{Ports: 1}, func(o *Options) { o.Report = true })
			r.ready(0)
			for i, path := range []string{
				"get_port_info", "query_sms_result", "query_sms_deliver_status", "query_incoming_sms", "query_sms_in_queue", "get_status",
			} {
				r.gateway.Inject(sim.DinstarFault{Path: path, At: 1, Do: do})
				r.deliver(i, i+1)
				text := fmt.Sprint("beside ", path)
				if _, err := r.send(0, uint32(i+1), text); err != nil || r.copies(text) != 1 {
					t.Errorf("%s: %v, with %d copies on the air", path, err, r.copies(text))
				}
				r.came(i + 1)
				r.until("its report", func() bool { return len(r.reports) > i })
			}
		})
	}
}

func TestAGatewayThatOnlyTalksNonsenseIsAbsentAndComesBack(t *testing.T) {
	for name, do := range badDeeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sim.DinstarOptions{Ports: 1}, nil)
			r.ready(0)
			r.gateway.Inject(sim.DinstarFault{Chance: 1, Do: do})
			r.until("a channel that says why", func() bool {
				return r.ch[0].State == gateway.ChannelAbsent && r.ch[0].Reason != ""
			})
			if _, err := r.send(0, 1, "not now"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("a send gives %v, want unavailable", err)
			}
			r.gateway.Heal()
			r.ready(0)
			if _, err := r.send(0, 2, "again"); err != nil || r.copies("again") != 1 {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestABodyThatTricklesIsCutAtTheLimit(t *testing.T) {
	d, c := wire(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	d.o.Times.Query = 100 * time.Millisecond
	began := time.Now()
	if _, err := c.get(t.Context(), "get_port_info", nil); gateway.KindOf(err) != gateway.KindUnknownOutcome {
		t.Errorf("got %v, want unknown_outcome", err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("it took %v", took)
	}
}

// shelf is where a bank puts what came.
type shelf struct{}

func (shelf) Inbound(context.Context, string, modem.Part) error  { return nil }
func (shelf) Report(context.Context, gateway.StatusReport) error { return nil }
func (r *rig) device(name, url string, change func(*Options)) modem.Device {
	return modem.Device{Key: url, Provider: name, New: func() (modem.Driver, error) {
		o := Options{Provider: name, URL: url, User: "admin", Password: "s3cret", Times: brief(), Every: often()}
		if change != nil {
			change(&o)
		}
		d, err := New(o)
		if err == nil {
			r.Cleanup(d.api.wire.CloseIdleConnections)
		}
		return d, err
	}}
}

func TestAGatewayThatHangsHoldsUpNeitherAnotherNorTheShutdown(t *testing.T) {
	const rows = 30
	n := sim.NewNetwork(sim.NetworkOptions{})
	t.Cleanup(func() { n.Close() })
	open := func(serial string, first int) *sim.Dinstar {
		g, err := sim.OpenDinstar(sim.DinstarOptions{Network: n, Serial: serial, First: first, Ports: 1, Password: "s3cret", Latency: time.Millisecond})
		must(t, err)
		t.Cleanup(func() { g.Close() })
		return g
	}
	good, bad := open("da00-1", 1001), open("da00-2", 2001)
	hang := make(chan struct{}) // closed: from now on nothing is answered
	held := make(chan struct{}) // closed: the end of the test
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
			<-held
		default:
			bad.Handler().ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(held) })

	r := &rig{TB: t}
	bank := modem.NewBank(modem.BankOptions{Store: shelf{}, Grace: 5 * time.Second})
	long := func(o *Options) { o.Times = Times{} } // of a real gateway: 10 s to a question, 30 s to send_sms
	must(t, bank.Set([]modem.Device{r.device("good", good.URL(), nil), r.device("hung", server.URL, long)}))
	ended := make(chan error, 1)
	go func() { ended <- bank.Run(context.Background()) }()
	for _, id := range []string{"good/0", "hung/0"} {
		for {
			watch := bank.Watch()
			if c, err := bank.Channel(id); err == nil && c.State == gateway.ChannelReady {
				break
			}
			<-watch
		}
	}
	close(hang)
	submission := func(id uint32) modem.Submission {
		return modem.Submission{UserID: id, To: "+59899123456", Text: fmt.Sprint("row ", id), Segments: 1}
	}
	var stuck sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	stuck.Go(func() {
		if _, err := bank.Send(ctx, "hung/0", submission(1)); gateway.KindOf(err) != gateway.KindUnknownOutcome && gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("a send to the gateway that hangs gives %v", err)
		}
	})
	for i := range uint32(rows) {
		if _, err := bank.Send(ctx, "good/0", submission(100+i)); err != nil {
			t.Errorf("the other gateway: %v", err)
		}
	}
	began := time.Now()
	cancel()
	must(t, bank.Close())
	must(t, <-ended)
	stuck.Wait()
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("the shutdown took %v", took)
	}
	if got := n.Len(); got != rows {
		t.Errorf("%d on the air, want %d", got, rows)
	}
}

func TestASIMThatMovesIsShownAtOnceWithItsKey(t *testing.T) {
	r := newRig(t, sim.DinstarOptions{Ports: 2}, nil)
	r.ready(0)
	r.ready(1)
	card := r.gateway.Card(0)
	must(t, r.gateway.Insert(0, nil))
	r.until("an empty port", func() bool {
		c := r.ch[0]
		return c.State == gateway.ChannelFault && c.ICCID == "" && c.IMSI == "" && c.Number == ""
	})
	must(t, r.gateway.Insert(1, card))
	r.until("the card in its new port", func() bool {
		c := r.ch[1]
		return c.State == gateway.ChannelReady && c.SIMKey() == card.ICCID() && c.IMSI != "" && c.Number == card.Number()
	})
	imei := r.ch[1].IMEI
	if _, err := r.send(1, 1, "over the card"); err != nil {
		t.Fatal(err)
	}
	if n := r.net.PerSIM()[card.ICCID()]; n != 1 {
		t.Errorf("%d messages over the card that moved, want 1", n)
	}
	must(t, r.gateway.SetSignal(1, 7))
	r.until("its signal", func() bool { return r.ch[1].Signal == 7 && r.ch[1].IMEI == imei })
	must(t, r.gateway.SetPort(1, sim.DinstarSearching))
	r.until("its registration", func() bool {
		return r.ch[1].State == gateway.ChannelStarting && r.ch[1].Registration == gateway.RegSearching
	})
}
