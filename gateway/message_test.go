package gateway

import (
	"testing"

	"pgregory.net/rapid"
)

// The table of state codes, as the product's clients know it. The numbers are on
// disk and in other people's programs: they never change.
func TestStatusTableOfTheProduct(t *testing.T) {
	table := []struct {
		status  Status
		number  uint8
		word    string
		code    Code
		name    string
		final   bool
		waiting bool
	}{
		{StatusNone, 0, "", 0, "NONE", false, false},
		{StatusHeld, 1, "held", 0, "NONE", false, true},
		{StatusQueued, 2, "queued", 1, "TO PROCESS", false, true},
		{StatusClaimed, 3, "claimed", 2, "CLAIMED", false, true},
		{StatusSubmitting, 4, "submitting", 2, "CLAIMED", false, false},
		{StatusSubmitted, 5, "submitted", 6, "SENT", false, false},
		{StatusSent, 6, "sent", 6, "SENT", true, false},
		{StatusDelivered, 7, "delivered", 6, "SENT", true, false},
		{StatusUndelivered, 8, "undelivered", 6, "SENT", true, false},
		{StatusUnknown, 9, "unknown", 7, "UNKNOWN", false, false},
		{StatusFailed, 10, "failed", 5, "FAILED", true, false},
		{StatusBlocked, 11, "blocked", 3, "BLOCKED", true, false},
		{StatusInvalid, 12, "invalid", 4, "INVALID", true, false},
		{StatusExpired, 13, "expired", 5, "FAILED", true, false},
		{StatusCanceled, 14, "canceled", 5, "FAILED", true, false},
	}
	if len(table) != NumStatus || len(Statuses()) != NumStatus-1 {
		t.Fatalf("%d statuses, %d listed, the table has %d", NumStatus, len(Statuses()), len(table))
	}
	for _, row := range table {
		s := row.status
		if uint8(s) != row.number || s.String() != row.word || s.Code() != row.code || s.Code().String() != row.name ||
			s.Final() != row.final || s.Waiting() != row.waiting {
			t.Errorf("%d %q: code %d %s, final %v, waiting %v; want %+v", s, s, s.Code(), s.Code(), s.Final(), s.Waiting(), row)
		}
		if back, ok := ParseStatus(row.word); ok != (s != StatusNone) || back != s {
			t.Errorf("%q reads as %d, %v", row.word, back, ok)
		}
	}
	if _, ok := ParseStatus("SENT"); ok || Status(99).String() != "" || Status(99).Code() != CodeNone || Code(99).String() != "NONE" {
		t.Error("a word or number that nobody knows was read")
	}
}

// TS 23.040 §9.2.3.15.
func TestReportStatusOfEveryTPStatus(t *testing.T) {
	for st := range 256 {
		want := StatusNone
		switch {
		case st < 0x20:
			want = StatusDelivered
		case st >= 0x40 && st < 0x80:
			want = StatusUndelivered
		}
		if got := ReportStatus(uint8(st)); got != want {
			t.Errorf("TP-ST %02X is %s, want %s", st, got, want)
		}
	}
}

func TestCountersAddUp(t *testing.T) {
	draw := func(t *rapid.T, label string) (c Counters) {
		for _, s := range Statuses() {
			c.ByStatus[s] = uint64(rapid.Uint32().Draw(t, label))
			c.Uploaded += c.ByStatus[s]
		}
		c.Deleted = uint64(rapid.Uint32().Draw(t, label))
		c.Uploaded += c.Deleted
		return c
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		sum := a
		sum.Add(&b)
		if !a.Balanced() || !b.Balanced() || !sum.Balanced() {
			t.Fatalf("not balanced: %+v %+v %+v", a, b, sum)
		}
		if sum.Processed() != a.Processed()+b.Processed() || sum.NotProcessed() != a.NotProcessed()+b.NotProcessed() ||
			sum.Blocked() != a.Blocked()+b.Blocked() || sum.Other() != a.Other()+b.Other() {
			t.Fatalf("%+v and %+v give %+v", a, b, sum)
		}
		sum.ByStatus[rapid.SampledFrom(Statuses()).Draw(t, "lost")]++
		if sum.Balanced() {
			t.Fatal("a row too many is not seen")
		}
	})
}

func TestCountersFollowTheStateCodes(t *testing.T) {
	for _, s := range Statuses() {
		var c Counters
		c.ByStatus[s] = 1
		got := [...]uint64{c.NotProcessed(), c.Blocked(), c.Other(), c.Processed()}
		want := map[Code][4]uint64{
			CodeNone: {1}, CodeToProcess: {1}, CodeClaimed: {1}, CodeBlocked: {0, 1},
			CodeInvalid: {0, 0, 1}, CodeFailed: {0, 0, 1}, CodeSent: {0, 0, 0, 1}, CodeUnknown: {0, 0, 0, 1},
		}[s.Code()]
		if got != want {
			t.Errorf("%s is counted %v, want %v", s, got, want)
		}
	}
}

func TestConcatRefIsTheSameAtEveryTry(t *testing.T) {
	m := Message{IDM: 0x12345}
	if m.ConcatRef() != 0x2345 {
		t.Errorf("%04X", m.ConcatRef())
	}
	if EncodingGSM7.String() != "GSM7" || EncodingUCS2.String() != "UCS2" {
		t.Error("an encoding has another name")
	}
}
