package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

// verdict holds what went on the air against what the spool says.
type verdict struct {
	rows      int
	counters  client.Counters
	segments  int                    // on the air
	messages  int                    // complete at a handset, each counted once
	byStatus  map[string]int         // rows by status, as listed one by one
	maybe     int                    // rows in doubt that are on the air
	inbound   int                    // messages that the network sent to the site
	stored    int                    // of them, once in the spool
	unplugged int                    // devices
	odd       map[string][]sim.Entry // segments on the air that complete no message, by recipient
	faults    []string               // what does not agree; the first maxFaults
	wrong     int                    // how much does not agree
}

// maxFaults is how many disagreements are printed; all are counted.
const maxFaults = 20

// judge compares the simulated network's ledger with the spool, row by row over
// the API: a row that says sent is on the air once, one that says it never went is not there,
// and one in doubt may be either. Delivery reports still come in meanwhile: a look
// at the rows counts when the counters before and after it are the same.
func (f *demoFlags) judge(ctx context.Context, c *client.Client, s *demoSite) (*verdict, error) {
	for {
		before, err := s.counters(ctx, c)
		if err != nil {
			return nil, err
		}
		v := &verdict{rows: f.rows, counters: before, byStatus: map[string]int{}, segments: s.bank.Network.Len()}
		copies := s.bank.Network.Copies()
		v.messages, v.odd = len(copies), oddSegments(s.bank.Network)
		for i := range s.lanes {
			if err := v.everyRow(ctx, c, s.lanes[i].campaign, copies); err != nil {
				return nil, err
			}
		}
		after, err := s.counters(ctx, c)
		if err != nil {
			return nil, err
		}
		if maps.Equal(before.ByStatus, after.ByStatus) {
			v.totals(copies)
			return v, nil
		}
	}
}

// everyRow lists the rows of a campaign, oldest first, and judges each.
func (v *verdict) everyRow(ctx context.Context, c *client.Client, campaign string, copies map[sim.Copy]int) error {
	rows := client.All(func(l client.List) (client.Page[client.Message], error) {
		l.Limit = 1000
		return c.Messages(ctx, client.MessageQuery{List: l, Campaign: campaign, Oldest: true})
	})
	for m, err := range rows {
		if err != nil {
			return err
		}
		v.row(&m, copies)
	}
	return nil
}

// oddSegments gives the segments that complete no message: of one that broke off, or
// once too many.
func oddSegments(n *sim.Network) map[string][]sim.Entry {
	odd := map[string][]sim.Entry{}
	for _, e := range n.Unpaired() {
		odd[e.To] = append(odd[e.To], e)
	}
	return odd
}

// row judges one row, and takes it off the air's list.
func (v *verdict) row(m *client.Message, copies map[sim.Copy]int) {
	key := sim.Copy{To: m.To, Text: m.Text}
	n := copies[key]
	delete(copies, key)
	v.byStatus[m.Status]++
	status, _ := gateway.ParseStatus(m.Status)
	switch {
	case n > 1:
		v.fault("row %s to %s is %d times on the air", m.ID, m.To, n)
	case status == gateway.StatusUnknown:
		v.maybe += n
	case status.Code() == gateway.CodeSent && n == 0:
		v.fault("row %s to %s says %s and is not on the air", m.ID, m.To, m.Status)
	case status.Code() != gateway.CodeSent && n > 0:
		v.fault("row %s to %s says %s and is on the air", m.ID, m.To, m.Status)
	case status.Code() == gateway.CodeSent:
		for _, e := range v.odd[m.To] {
			if strings.Contains(m.Text, e.Text) {
				v.fault("segment %d of row %s to %s is on the air once too many", e.Seq, m.ID, m.To)
			}
		}
	}
}

// totals holds the sums against each other once every row was seen.
func (v *verdict) totals(left map[sim.Copy]int) {
	for k := range left {
		v.fault("a message to %s is on the air and in no row", k.To)
	}
	n := &v.counters
	listed := 0
	for status, rows := range v.byStatus {
		listed += rows
		if uint64(rows) != n.ByStatus[status] {
			v.fault("the counter of %s says %d, the rows say %d", status, n.ByStatus[status], rows)
		}
	}
	if listed != v.rows {
		v.fault("%d rows were loaded, %d are there", v.rows, listed)
	}
	if !n.Balanced || n.Uploaded != uint64(v.rows) {
		v.fault("the counters do not balance: %d uploaded", n.Uploaded)
	}
	if n.NotProcessed != 0 {
		v.fault("%d rows still wait", n.NotProcessed)
	}
}

func (v *verdict) fault(format string, args ...any) {
	if v.wrong++; v.wrong <= maxFaults {
		v.faults = append(v.faults, fmt.Sprintf(format, args...))
	}
}

func (v *verdict) err() error {
	if v.wrong == 0 {
		return nil
	}
	return gateway.Errorf(gateway.KindInternal, "ledger and counters do not agree: %s", plural(v.wrong, "fault"))
}

// print shows the table of both sides.
func (v *verdict) print(w io.Writer) {
	n := &v.counters
	fmt.Fprintln(w)
	rows := newTable(w, "", "SPOOL", "ON THE AIR")
	rows.row("rows loaded", count(n.Uploaded), "")
	rows.row("processed", count(n.Processed-n.ByStatus["unknown"]), fmt.Sprint(v.messages-v.maybe))
	rows.row("unknown", count(n.ByStatus["unknown"]), fmt.Sprintf("%d of them", v.maybe))
	rows.row("blocked", count(n.Blocked), "0")
	rows.row("other (invalid number, failed, expired)", count(n.Other), "0")
	rows.row("not processed", count(n.NotProcessed), "")
	rows.row("delivered, by report", count(n.ByStatus["delivered"]), "")
	rows.row("segments", "", fmt.Sprint(v.segments))
	if v.inbound > 0 {
		rows.row("received messages", fmt.Sprint(v.stored), fmt.Sprint(v.inbound))
	}
	rows.flush()
	if v.unplugged > 0 {
		fmt.Fprintf(w, "\na device was unplugged %s\n", plural(v.unplugged, "time"))
	}
	if v.wrong == 0 {
		fmt.Fprintln(w, "\nledger and counters agree: no row lost, none twice")
		return
	}
	fmt.Fprintf(w, "\nLEDGER AND COUNTERS DO NOT AGREE (%s):\n  %s\n", plural(v.wrong, "fault"), strings.Join(v.faults, "\n  "))
}
