package spool

import (
	"context"
	"fmt"
	"time"

	"fieldpost/gateway"
)

// Report stores what a network says of one segment, and returns when it is on
// disk. It belongs to the newest send of that SIM, reference and recipient within
// 72 h; to a message in doubt when none fits; and waits 48 h for its send when there
// is neither, since it can come before the outcome is stored. The same report again
// changes nothing.
func (s *Spool) Report(ctx context.Context, r gateway.StatusReport) error {
	if n := len(r.Channel) + len(r.SIM) + len(r.Recipient) + len(r.Ref); n > maxReportText {
		return gateway.Invalid("report", "has %d bytes of text; at most %d are taken", n, maxReportText)
	}
	return s.update(ctx, func(t *tx) error {
		home, ok, err := t.findRef(&r)
		if err != nil {
			return err
		}
		if !ok {
			return t.orphan(&r)
		}
		return t.reported(home, &r)
	})
}

// maxReportText bounds the texts of a report, in bytes.
const maxReportText = 4096

// sentAs is where a report belongs.
type sentAs struct {
	idm     uint64
	segment int       // 1-based; 0 = the whole message
	at      time.Time // of the send
	doubt   bool      // found by recipient and time: nobody knew that it went out
}

// reported applies a report to its message.
func (t *tx) reported(home sentAs, r *gateway.StatusReport) error {
	m, err := t.message(home.idm)
	if gateway.KindOf(err) == gateway.KindNotFound {
		return nil // deleted since: the report has nothing to tell
	}
	if err != nil {
		return t.skipDamaged(err)
	}
	if home.segment > int(max(m.Segments, 1)) {
		return nil
	}
	news, doubted := t.foldParts(m, home, r)
	if err := t.countReport(home, r, news, doubted); err != nil || news == 0 {
		return err
	}
	st := m.Status
	if !hasIntent(t.b, m.IDM) { // a device has it again: its outcome decides first
		st = reportedStatus(m)
	}
	switch {
	case st == gateway.StatusFailed && st != m.Status:
		m.Kind, m.Reason = gateway.KindRefused, "not all of its segments went out"
	case st == gateway.StatusUndelivered && st != m.Status:
		m.Kind, m.Reason = gateway.KindRefused, reportWords(r.ST)
	case st != m.Status:
		m.Kind, m.Reason = gateway.KindNone, ""
	}
	tr := gateway.Transition{Channel: r.Channel, Code: fmt.Sprintf("TP-ST 0x%02X", r.ST), Text: reportLine(home, m, r)}
	if r.Channel == "" {
		tr.Channel = m.Channel
	}
	return t.setStatus(m, st, tr)
}

// hasArrived says that reports gave a segment, or all for segment 0, as delivered.
func hasArrived(m *gateway.Message, segment int) bool {
	if segment > 0 {
		return segment <= len(m.Parts) && m.Parts[segment-1].Status == gateway.StatusDelivered
	}
	return wholeStatus(m) == gateway.StatusDelivered
}

// isOut says that reports gave a segment, or all for segment 0, as out of the box.
func isOut(m *gateway.Message, segment int) bool {
	if segment > 0 {
		return segment <= len(m.Parts) && out(m.Parts[segment-1].Status)
	}
	return wholeStatus(m) != gateway.StatusNone
}

// outBefore settles a try whose segment went out by an earlier one: the report
// came while this try was at a device. What became of this one changes nothing, and
// the segment is not sent again.
func (t *tx) outBefore(m *gateway.Message, in *opened, o *Outcome, tr gateway.Transition) error {
	if o.Kind != gateway.KindNone && o.Kind != gateway.KindUnknownOutcome {
		if err := t.refund(&in.Intent, m.To, in.fresh); err != nil {
			return err
		}
	}
	st := wholeStatus(m)
	switch st {
	case gateway.StatusNone:
		st = m.Status // its other segments wait, and the dialer may think that it ended
		t.arrived(t.homes[m.IDM].lane(), m)
	case gateway.StatusUndelivered:
		m.Kind, m.Reason = gateway.KindRefused, "not delivered, by the report of an earlier try"
	default:
		m.Kind, m.Reason = gateway.KindNone, ""
	}
	tr.Text = joinWords(tr.Text, "an earlier try had gone out")
	if err := t.setStatus(m, st, tr); err != nil {
		return err
	}
	if o.Kind == gateway.KindUnknownOutcome {
		return t.referDoubt(m, in, o)
	}
	return t.refer(m, in, o, tr.At)
}

// reportLine is a report's line in the timeline.
func reportLine(home sentAs, m *gateway.Message, r *gateway.StatusReport) string {
	line := "report"
	if home.segment > 0 && m.Segments > 1 {
		line = fmt.Sprintf("report for segment %d of %d", home.segment, m.Segments)
	}
	line += ": " + reportWords(r.ST)
	if home.doubt {
		line += "; it was in doubt, and this shows that it went out"
	}
	return line
}

// foldParts applies a report to the segments of its send. It gives how many it brought
// news of, and how many it shows to have gone out that were in doubt.
func (t *tx) foldParts(m *gateway.Message, home sentAs, r *gateway.StatusReport) (news, doubted uint32) {
	markParts(m, home.segment, func(p *gateway.Part) {
		if home.doubt || p.Status == gateway.StatusUnknown {
			doubted++
		}
		if t.foldPart(p, r) {
			news++
		}
	})
	return news, doubted
}

// foldPart applies a report to a segment and says whether it was news. A delivered
// segment stays delivered; one that was given up can still arrive.
func (t *tx) foldPart(p *gateway.Part, r *gateway.StatusReport) bool {
	st := gateway.ReportStatus(r.ST)
	switch {
	case p.Status == gateway.StatusDelivered:
		return false
	case p.Status == gateway.StatusUndelivered && st != gateway.StatusDelivered:
		return false
	case st == gateway.StatusNone && p.ST == r.ST:
		return false
	case st == gateway.StatusNone:
		st = gateway.StatusSent // the SMSC has it
	}
	p.Status, p.ST, p.At = st, r.ST, t.now
	return true
}

// reportedStatus is what a message is after its segments heard reports. One that
// waits for its other segments goes on waiting; one whose segments are all known
// to be out is never sent again.
func reportedStatus(m *gateway.Message) gateway.Status {
	whole := wholeStatus(m)
	switch m.Status {
	case gateway.StatusHeld, gateway.StatusBlocked, gateway.StatusInvalid, gateway.StatusDelivered:
		return m.Status
	case gateway.StatusUnknown, gateway.StatusSubmitted, gateway.StatusSent, gateway.StatusUndelivered:
		if anyPart(m, gateway.StatusUndelivered) {
			return gateway.StatusUndelivered // without this segment the text is never whole
		}
	}
	switch {
	case m.Status == gateway.StatusUnknown:
		return settledStatus(m)
	case whole == gateway.StatusNone:
		return m.Status
	}
	return whole
}

// settledStatus is what a message in doubt is after a word on some of its segments:
// in doubt while one is, and queued for those that were never tried.
func settledStatus(m *gateway.Message) gateway.Status {
	whole := wholeStatus(m)
	switch {
	case anyPart(m, gateway.StatusUnknown):
		return gateway.StatusUnknown
	case whole != gateway.StatusNone:
		return whole
	case anyPart(m, gateway.StatusFailed):
		return gateway.StatusFailed
	}
	return gateway.StatusQueued
}

// wholeStatus is what a message is when all its segments are out: as its least
// certain one; StatusNone while one is missing.
func wholeStatus(m *gateway.Message) gateway.Status {
	if len(m.Parts) < int(max(m.Segments, 1)) {
		return gateway.StatusNone
	}
	for i := range m.Parts {
		if !out(m.Parts[i].Status) {
			return gateway.StatusNone
		}
	}
	for _, st := range []gateway.Status{gateway.StatusUndelivered, gateway.StatusSubmitted, gateway.StatusSent} {
		if anyPart(m, st) {
			return st
		}
	}
	return gateway.StatusDelivered
}

func anyPart(m *gateway.Message, st gateway.Status) bool {
	for i := range m.Parts {
		if m.Parts[i].Status == st {
			return true
		}
	}
	return false
}
