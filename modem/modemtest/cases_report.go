package modemtest

import (
	"fmt"
	"slices"
	"strings"

	"fieldpost/gateway"
)

func reportCases() []oneCase {
	return []oneCase{
		{name: "a delivery report says which segment it is of", needs: []Act{TellDelivery}, run: reported},
		{name: "each segment of a long text has a delivery report of its own", needs: []Act{TellDelivery}, run: reportedSegments},
		{name: "a delivery report that comes before the answer is not lost", needs: []Act{TellDelivery, ReportEarly}, run: reportedEarly},
		{name: "late delivery reports are each of their own send", needs: []Act{TellDelivery, ReportLate}, run: reportedLate},
		{name: "a delivery report that comes two times disturbs nothing", needs: []Act{TellDelivery, ReportTwice}, run: reportedTwice},
		{name: "a delivery report of a failure keeps its TP-ST", needs: []Act{TellDelivery, ReportFailed}, run: reportedFailed},
	}
}

func reported(b *bench) { b.reports(0, 1) }

// reportedSegments demands a report under the reference of each receipt, and that no two
// segments share one.
func reportedSegments(b *bench) {
	receipts := map[string]bool{}
	for _, s := range b.all(someone, strings.Repeat("A text of three segments or so. ", 12)) {
		s.Report = true
		r := b.accepted(s)
		name := fmt.Sprint(r.MR, r.Ref)
		if receipts[name] {
			b.Errorf("two segments went out under the reference %s", name)
		}
		receipts[name] = true
	}
	b.until("a report of each segment", func(h *host) bool {
		told := map[string]bool{}
		for _, x := range h.reports {
			if name := fmt.Sprint(x.MR, x.Ref); receipts[name] {
				told[name] = true
			}
		}
		return len(told) == len(receipts)
	})
}

func reportedEarly(b *bench) {
	b.do(ReportEarly)
	b.reports(0, 1)
}

// reportedLate has reports come while later sends are out.
func reportedLate(b *bench) {
	b.do(ReportLate)
	to := map[string]gateway.Address{} // by the reference of the receipt
	for i := range 3 {
		s := b.one(fmt.Sprint("+479000001", i), "late")
		s.Report = true
		r := b.accepted(s)
		to[fmt.Sprint(r.MR, r.Ref)] = s.To
	}
	b.until("a report of each send", func(h *host) bool {
		told := map[string]bool{}
		for _, x := range h.reports {
			if name := fmt.Sprint(x.MR, x.Ref); to[name] == x.Recipient {
				told[name] = true
			}
		}
		return len(told) == len(to)
	})
}

func reportedTwice(b *bench) {
	b.do(ReportTwice)
	b.reports(0, 1) // whether both are handed on is the driver's choice: the spool takes either
}

func reportedFailed(b *bench) {
	b.do(ReportFailed)
	b.reports(0x46, 1)
}

// reports sends two messages and demands a report of each.
func (b *bench) reports(st uint8, least int) {
	b.Helper()
	for _, text := range []string{"one", "two"} {
		s := b.one(someone, text)
		s.Report = true
		r := b.accepted(s)
		mine := func(x gateway.StatusReport) bool {
			if r.HasMR {
				return x.MR == r.MR
			}
			return x.Ref == r.Ref
		}
		b.until("the delivery report of "+text, func(h *host) bool {
			n := 0
			for _, x := range h.reports {
				if mine(x) {
					n++
				}
			}
			return n >= least
		})
		b.checkReport(mine, st)
	}
}

func (b *bench) checkReport(mine func(gateway.StatusReport) bool, st uint8) {
	b.Helper()
	b.host.mu.Lock()
	defer b.host.mu.Unlock()
	x := b.host.reports[slices.IndexFunc(b.host.reports, mine)]
	if x.Recipient != someone || x.ST != st {
		b.Errorf("the report is of %s with TP-ST %#02x, want %s and %#02x", x.Recipient, x.ST, someone, st)
	}
	if b.rig.ICCID != "" && x.SIM != b.rig.ICCID {
		b.Errorf("the report names the SIM %q, the card is %q", x.SIM, b.rig.ICCID)
	}
}
