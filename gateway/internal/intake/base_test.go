package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

const vector1 = "AutomatedSMSDialer;091111111;Hi World;9999\n" +
	"AutomatedSMSDialer;092222222;Hi City;8888\n" +
	"AutomatedSMSDialer;093333333;Hi People;7777\n"

func TestVector1ABaseWithoutAHeaderLeavesByPriority(t *testing.T) {
	d := running(t, nil)
	if up := d.base(t, vector1); up.Accepted != 3 || up.Rejected != 0 {
		t.Errorf("upload is %+v", up)
	}
	c, err := d.spool.Counters("AutomatedSMSDialer")
	if err != nil || c.NotProcessed() != 3 || c.Uploaded != 3 {
		t.Errorf("counters %+v, %v", c, err)
	}
	got, err := d.spool.Claim(spool.Claim{Campaign: "AutomatedSMSDialer", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, m := range got.Messages {
		order = append(order, m.Text)
	}
	if want := []string{"Hi People", "Hi City", "Hi World"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}

func TestP63P64HeadersInBothSpellingsAreNotRows(t *testing.T) {
	for _, header := range []string{"", "campign;destiny;menssage;priority\n", "Campaign;Destination;Message;Priority\r\n",
		"\xEF\xBB\xBF\"CAMPAIGN\";destiny;MESSAGE;priority;data\n", "\n\ncampaign;destination;message;priority\n"} {
		d := running(t, nil)
		if up := d.base(t, header+"test1;098344484;This is my SMS;9999\n"); up.Accepted != 1 || up.Rejected != 0 {
			t.Errorf("%q: upload is %+v", header, up)
		}
		m := d.messages(t)[0]
		if m.Campaign != "test1" || m.Typed != "098344484" || m.To != "+59898344484" || m.Text != "This is my SMS" || m.Priority != 9999 {
			t.Errorf("message is %+v", m)
		}
		d.stop()
	}
}

func TestP65ToP71Columns(t *testing.T) {
	d := running(t, nil)
	up := d.base(t, strings.Join([]string{
		`none;098344484;hi;1`,
		`;098344484;hi;1`,
		`test1;;hi;1`,
		`test1;098344484;;1`,
		`test1;098344484;hi;65536`,
		`test1;098344484;hi;first`,
		`test1;098344484;hi`,
		`test1;098344484;` + strings.Repeat("x", 6*153+1) + `;1`,
		`test1;098344484;hi;1;` + strings.Repeat("x", maxData+1),
		`;;;`,
		`test1;098344484;"¡Hola; ""Ñandú"" 🎉";0`,
		` test1 ; 098344484 ;hi;`,
		`test1;0983x4484;hi;5;one`,
		`test1;098344484;hi;5;"one;two"`,
		`test1;098344484;hi;5;one;"two;""three"";";`,
	}, "\n"))
	wantBad := []spool.BadLine{
		{Line: 1, Reason: `campaign: no campaign or dialer is named "none"`},
		{Line: 2, Reason: `campaign: no campaign or dialer is named ""`},
		{Line: 3, Reason: "destination: is missing"},
		{Line: 4, Reason: "message: is empty"},
		{Line: 5, Reason: `priority: "65536" is no number from 0 to 65535`},
		{Line: 6, Reason: `priority: "first" is no number from 0 to 65535`},
		{Line: 7, Reason: "has 3 columns, not campaign;destination;message;priority"},
		{Line: 8, Reason: "message: takes 7 segments in GSM7, and at most 6 are allowed"},
		{Line: 9, Reason: "data: has 4097 bytes; at most 4096 are allowed"},
	}
	if !slices.Equal(up.Bad, wantBad) || up.Rejected != 9 || up.Accepted != 5 || up.Invalid != 1 || up.Line != 15 || up.Offset != up.Bytes {
		t.Errorf("upload is %+v", up)
	}
	ms := d.messages(t)
	if m := ms[0]; m.Text != `¡Hola; "Ñandú" 🎉` || m.Priority != 0 || m.Encoding != gateway.EncodingUCS2 {
		t.Errorf("message is %+v", m)
	}
	if m := ms[1]; m.Campaign != "test1" || m.Priority != gateway.PriorityBulk || m.Agent != "ana" || m.Upload != up.ID {
		t.Errorf("message is %+v", m)
	}
	if m := ms[2]; m.Status != gateway.StatusInvalid || m.Typed != "0983x4484" || m.To != "" || m.Data != "one" ||
		m.Kind != gateway.KindInvalid || !strings.HasPrefix(m.Reason, "destination: ") {
		t.Errorf("a number with letters is %+v", m)
	}
	if ms[3].Data != "one;two" || ms[4].Data != `one;"two;""three"";";` {
		t.Errorf("data %q and %q", ms[3].Data, ms[4].Data)
	}
}

func TestBadLettersQuotesAndLinesCostTheirRowOnly(t *testing.T) {
	d := running(t, nil)
	good := "test1;098344484;ñandú;1\n"
	body := io.MultiReader(
		strings.NewReader(good+"test1;098344484;\"open;1\n"+good+"test1;098344484;\xff;1\n"+good+"test1;098344484;"),
		endless('x', 10<<20),
		strings.NewReader(";1\n"+good+"test1;098344484;\"a\"b;1\n"+strings.Repeat(good, 2000)))
	up, err := d.TakeBase(t.Context(), BaseRequest{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	want := []spool.BadLine{{Line: 2, Reason: faultOpen}, {Line: 4, Reason: faultUTF8}, {Line: 6, Reason: faultLong}, {Line: 8, Reason: faultClosing}}
	if up.State != stateDone || up.Accepted != 2004 || up.Rejected != 4 || !slices.Equal(up.Bad, want) {
		t.Errorf("upload is %+v", up)
	}
}

func TestABaseInWindows1252(t *testing.T) {
	d := running(t, nil)
	d.base(t, "test1;098344484;ma\xf1ana \x80;1\n")
	if m := d.messages(t)[0]; m.Text != "mañana €" {
		t.Errorf("text is %q", m.Text)
	}
}

func TestFilesThatAreNoCSVAreRefusedAndLeaveNothing(t *testing.T) {
	d := running(t, func(o *Options) { o.MaxBase = 1 << 20 })
	for want, body := range map[string]io.Reader{
		"empty":       strings.NewReader(""),
		"binary":      strings.NewReader("test1;098344484;hi;1\n\x00\x01"),
		"spreadsheet": strings.NewReader("PK\x03\x04\x14\x00"),
		"UTF-16":      strings.NewReader("\xFF\xFEt\x00"),
		"1 MiB":       endless('x', 2<<20),
		"ended early": io.MultiReader(strings.NewReader(vector1), iotest.ErrReader(io.ErrUnexpectedEOF)),
	} {
		_, err := d.TakeBase(t.Context(), BaseRequest{Body: body, Upload: "the-same"})
		if gateway.KindOf(err) != gateway.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if left, err := os.ReadDir(d.o.Dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
	if len(d.messages(t)) != 0 {
		t.Error("messages were stored")
	}
}

func TestTheSameUploadAgainAddsNothing(t *testing.T) {
	d := running(t, nil)
	take := func(text string) (spool.Upload, error) {
		return d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(text), Upload: "november"})
	}
	first, err := take(vector1 + "bad\n")
	if err != nil || first.Duplicates != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := take(vector1 + "bad\n")
	if err != nil || again.Accepted != 3 || again.Duplicates != 3 || again.Rejected != 1 || again.Hash != first.Hash {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	_, err = take(vector1)
	refused(t, err, gateway.KindConflict, "upload")
	_, err = d.TakeBlacklist(t.Context(), BaseRequest{Body: strings.NewReader(vector1 + "bad\n"), Upload: "november"})
	refused(t, err, gateway.KindConflict, "upload")
	if n := len(d.messages(t)); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	if left, err := os.ReadDir(d.o.Dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

func TestUploadIDsCannotBePaths(t *testing.T) {
	d := open(t, t.TempDir(), nil)
	for _, id := range []string{"../x", "a/b", "a\x00", "ñ", strings.Repeat("x", maxID+1)} {
		_, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(vector1), Upload: id})
		refused(t, err, gateway.KindInvalid, "upload")
	}
	_, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(vector1), Campaign: "none"})
	refused(t, err, gateway.KindInvalid, "campaign")
}

func TestDefaultCampaignHeldAndValidity(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := running(t, func(o *Options) { o.Now, o.ValidBase = at(now), time.Hour })
	_, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(";098344484;hi;\nalerts;098344484;hi;\n"), Campaign: "test1", Held: true})
	if err != nil {
		t.Fatal(err)
	}
	ms := d.messages(t)
	for i, want := range []string{"test1", "alerts"} {
		if m := ms[i]; m.Campaign != want || m.Status != gateway.StatusHeld || !m.ValidUntil.Equal(now.Add(time.Hour)) || m.Policy != gateway.UnknownResend {
			t.Errorf("message is %+v", m)
		}
	}
}

func TestAnAcceptedBaseIsLoadedAfterAStop(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, nil) // no loader runs
	up, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(vector1), Upload: "b", Async: true})
	if err != nil || up.State != stateLoading {
		t.Fatalf("%+v, %v", up, err)
	}
	// What the process left behind before it was accepted.
	for _, name := range []string{partial + "1", finished + "never-accepted" + suffix} {
		if err := os.WriteFile(d.o.Dir+"/"+name, []byte(vector1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.stop()

	d = open(t, dir, nil)
	d.run(t)
	up, err = d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(vector1), Upload: "b"}) // the caller did not hear the answer
	if err != nil || up.State != stateDone || up.Accepted != 3 || up.Duplicates != 3 {
		t.Errorf("%+v, %v", up, err)
	}
	if n := len(d.messages(t)); n != 3 {
		t.Errorf("%d messages", n)
	}
	if left, err := os.ReadDir(d.o.Dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

// faulty is a Store whose commits go wrong as it is told.
type faulty struct {
	Store
	batch func(n int) error // asked before commit n, from 1
	after func(n int)       // told behind it
	n     int
}

func (f *faulty) AddBatch(ctx context.Context, up spool.Upload, ms []gateway.Message) (spool.Upload, error) {
	f.n++
	if err := f.batch(f.n); err != nil {
		return spool.Upload{}, err
	}
	up, err := f.Store.AddBatch(ctx, up, ms)
	if f.after != nil {
		f.after(f.n)
	}
	return up, err
}

// rows makes a base whose row n is for the priority n mod 65536 and holds n; each
// tenth cannot be read.
func rows(n int) string {
	var b strings.Builder
	for i := range n {
		if i%10 == 9 {
			fmt.Fprintf(&b, "test1;098344484;\"row %d;1\n", i)
			continue
		}
		fmt.Fprintf(&b, "test1;09%07d;\"row\n%d\";%d\r\n", 1000000+i, i, i%65536)
	}
	return b.String()
}

// proveRows holds that each row of rows is there once, and each bad one is reported.
func proveRows(t *testing.T, d *door, n int, up spool.Upload) {
	t.Helper()
	seen := map[string]int{}
	for _, m := range d.messages(t) {
		seen[m.Text]++
	}
	for i := range n {
		if want := btoi(i%10 != 9); seen[fmt.Sprintf("row\n%d", i)] != want {
			t.Errorf("row %d is there %d times, want %d", i, seen[fmt.Sprintf("row\n%d", i)], want)
		}
	}
	if up.Accepted != n-n/10 || up.Rejected != n/10 || len(up.Bad) != min(n/10, spool.MaxBadLines) {
		t.Errorf("%d accepted, %d rejected, %d reported", up.Accepted, up.Rejected, len(up.Bad))
	}
	for i, b := range up.Bad {
		if want := i*19 + 19; b.Line != want {
			t.Fatalf("bad row %d is at line %d, want %d", i, b.Line, want)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestALoadGoesOnAtTheRightLineAfterEachCommit(t *testing.T) {
	const n = 9000 // five chunks
	dir := t.TempDir()
	var up spool.Upload
	for stops := 0; up.State != stateDone; stops++ {
		committed := make(chan struct{}, 16)
		d := open(t, dir, func(o *Options) {
			o.Store = &faulty{Store: o.Store, batch: func(int) error { return nil }, after: func(int) { committed <- struct{}{} }}
		})
		if stops == 0 {
			if _, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(rows(n)), Upload: "b", Async: true}); err != nil {
				t.Fatal(err)
			}
		}
		end := d.run(t)
		d.mu.Lock()
		l := d.loads["b"]
		d.mu.Unlock()
		if l != nil { // it was not done yet
			select {
			case <-committed: // stop it in the middle
			case <-l.done:
			}
		}
		end()
		var err error
		if up, err = d.spool.Upload("b"); err != nil {
			t.Fatal(err)
		}
		if up.State == stateDone {
			proveRows(t, d, n, up)
		}
		d.stop()
		if stops > 20 {
			t.Fatal("it never ends")
		}
	}
}

func TestAFullDiskDelaysALoadAndLosesNothing(t *testing.T) {
	const n = 5000
	fail := errors.New("no space left on device")
	d := open(t, t.TempDir(), func(o *Options) {
		o.Store = &faulty{Store: o.Store, batch: func(n int) error {
			if n == 2 {
				return gateway.Errorf(gateway.KindUnavailable, "commit: %w", fail)
			}
			return nil
		}}
	})
	d.retry = time.Millisecond
	d.run(t)
	up, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(rows(n))})
	if err != nil || up.State != stateDone {
		t.Fatalf("%+v, %v", up, err)
	}
	proveRows(t, d, n, up)
}

func TestALoadThatFailedGoesOnWhenItsFileComesAgain(t *testing.T) {
	const n = 5000
	d := open(t, t.TempDir(), func(o *Options) {
		o.Store = &faulty{Store: o.Store, batch: func(n int) error {
			if n == 2 {
				return errors.New("a fault of ours")
			}
			return nil
		}}
	})
	d.run(t)
	take := func() spool.Upload {
		up, err := d.TakeBase(t.Context(), BaseRequest{Body: strings.NewReader(rows(n)), Upload: "b"})
		if err != nil {
			t.Fatal(err)
		}
		return up
	}
	if up := take(); up.State != stateFailed || up.Error != "a fault of ours" || up.Accepted == 0 {
		t.Fatalf("upload is %+v", up)
	}
	up := take()
	if up.State != stateDone || up.Error != "" {
		t.Fatalf("upload is %+v", up)
	}
	proveRows(t, d, n, up)
}

func TestACallerWhoLeavesDoesNotUndoTheBase(t *testing.T) {
	d := open(t, t.TempDir(), nil) // no loader: the wait would never end
	ctx, cancel := context.WithCancel(t.Context())
	body := io.MultiReader(strings.NewReader(vector1), &leaving{cancel: cancel})
	up, err := d.TakeBase(ctx, BaseRequest{Body: body, Upload: "b"})
	if err != nil || up.State != stateLoading {
		t.Fatalf("%+v, %v", up, err)
	}
	if stored, err := d.spool.Upload("b"); err != nil || stored.State != stateLoading {
		t.Errorf("the base is not on record: %+v, %v", stored, err)
	}
	if _, err := os.Stat(up.Path); err != nil {
		t.Error(err)
	}
}

// leaving ends the caller's context with the last byte.
type leaving struct{ cancel func() }

func (l *leaving) Read([]byte) (int, error) {
	l.cancel()
	return 0, io.EOF
}

func TestManyBasesAtOnce(t *testing.T) {
	d := running(t, nil)
	errs := make(chan error, 12)
	for i := range 12 {
		go func() {
			up, err := d.TakeBase(context.Background(), BaseRequest{Body: strings.NewReader(vector1), Upload: fmt.Sprint(i % 6)})
			if err == nil && (up.State != stateDone || up.Accepted != 3) {
				err = fmt.Errorf("upload is %+v", up)
			}
			errs <- err
		}()
	}
	for range 12 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := len(d.messages(t)); n != 18 {
		t.Errorf("%d messages, want 18", n)
	}
}

func TestALoadIsTold(t *testing.T) {
	d := running(t, nil)
	d.base(t, vector1)
	events, err := d.spool.Events(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.Kind != gateway.EventUpload || !strings.Contains(string(last.Body), `"accepted":3`) {
		t.Errorf("last event is %s %s", last.Kind, last.Body)
	}
}
