package at

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fieldpost/gateway"
)

func TestSessionInitialises(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT": {"", "\r\nOK\r\n"}}) // a modem that wakes up at the second call
		if err := s.Init(bg); err != nil {
			t.Fatal(err)
		}
		want := []string{"", "AT", "AT", "ATE0", "ATV1", "ATQ0", "AT+CMEE=1", "AT+CMGF=0", "AT+CMGF?"}
		if !slices.Equal(f.got(), want) {
			t.Errorf("modem got %q, want %q", f.got(), want)
		}
	})
}

func TestSessionSubmits(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{
			"AT+CMGS=17":                           {"\r\n> "},
			"0021000B919598193254F6000004C8373B0C": {"\r\n+CMGS: 42\r\n\r\nOK\r\n"},
		})
		r, err := s.Submit(bg, 17, "0021000B919598193254F6000004C8373B0C")
		if err != nil || !r.Had || r.MR != 42 {
			t.Errorf("%+v, %v", r, err)
		}
		if len(f.got()) != 2 {
			t.Errorf("modem got %q", f.got())
		}
	})
}

func TestSessionRefusals(t *testing.T) {
	tests := []struct {
		said string
		kind gateway.Kind
		code string
	}{
		{"+CMS ERROR: 38", gateway.KindUnavailable, "CMS 38"},
		{"+CMS ERROR: 42", gateway.KindThrottled, "CMS 42"},
		{"+CMS ERROR: 1", gateway.KindRefused, "CMS 1"},
		{"+CMS ERROR: 21", gateway.KindUnavailable, "CMS 21"},
		{"+CMS ERROR: 332", gateway.KindUnknownOutcome, "CMS 332"},
		{"+CMS ERROR: 500", gateway.KindUnknownOutcome, "CMS 500"},
		{"+CMS ERROR: 513", gateway.KindUnknownOutcome, "CMS 513"}, // Wavecom: lower layer failure
		{"+CMS ERROR: nonsense", gateway.KindUnknownOutcome, "CMS nonsense"},
		{"+CME ERROR: 10", gateway.KindUnavailable, "CME 10"},
		{"+CME ERROR: 31", gateway.KindUnknownOutcome, "CME 31"},
		{"+CME ERROR: 100", gateway.KindUnknownOutcome, "CME 100"},
		{"ERROR", gateway.KindUnknownOutcome, "ERROR"},
	}
	for _, test := range tests {
		t.Run(test.said, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *Session, f *fake) {
				f.script(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {"\r\n" + test.said + "\r\n"}})
				_, err := s.Submit(bg, 2, "0011")
				var e *gateway.Error
				if !errors.As(err, &e) || e.Kind != test.kind || e.Code != test.code {
					t.Errorf("got %v of kind %s, want %s with %s", err, gateway.KindOf(err), test.kind, test.code)
				}
			})
		})
	}
}

// A modem that refuses before it saw the message neither sent it nor judged it.
func TestSessionDoubtBeforeThePayloadIsNone(t *testing.T) {
	for _, said := range []string{"+CMS ERROR: 500", "+CMS ERROR: 303", "+CMS ERROR: 321", "+CME ERROR: 4", "ERROR", "OK"} {
		bubble(t, func(t *testing.T, s *Session, f *fake) {
			f.script(map[string][]string{"AT+CMGS=2": {"\r\n" + said + "\r\n"}})
			if _, err := s.Submit(bg, 2, "0011"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("%s: got %v of kind %s", said, err, gateway.KindOf(err))
			}
		})
	}
}

// The late final of a command before is taken for the answer to AT+CMGS, and the modem is
// left at the prompt: it would take the next command for a message.
func TestSessionLeavesNoModemAtThePromptA4(t *testing.T) {
	for _, said := range []string{"+CMS ERROR: 38", "OK"} {
		bubble(t, func(t *testing.T, s *Session, f *fake) {
			f.script(map[string][]string{"AT+CMGS=2": {"\r\n" + said + "\r\n\r\n> "}})
			if _, err := s.Submit(bg, 2, "0011"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("got %v", err)
			}
			if want := []string{"AT+CMGS=2", "", "AT+CMGF?"}; !slices.Equal(f.got(), want) { // "" is the ESC
				t.Errorf("behind %s the modem got %q, want %q", said, f.got(), want)
			}
		})
	}
}

// A modem that starts again in silence may wake up in text mode, where AT+CMGS=17 is a
// message to the number 17. Its echo, which was switched off, gives it away.
func TestSessionHandsNoMessageToAModemThatStartedAgainInSilence(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=17": {"AT+CMGS=17\r\r\n> "}, "0011": {"\r\n+CMGS: 1\r\n\r\nOK\r\n"}})
		if err := s.Init(bg); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Submit(bg, 17, "0011"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v of kind %s", err, gateway.KindOf(err))
		}
		if slices.Contains(f.got(), "0011") {
			t.Error("the message was handed over")
		}
		if u := <-s.URCs(); u.Name != Restarted {
			t.Errorf("heard %+v", u)
		}
	})
}

// A modem that cannot be told to be quiet echoes always: that is no restart.
func TestSessionSendsThroughAModemThatAlwaysEchoes(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{
			"AT+CMGF?": {"AT+CMGF?\r\r\n+CMGF: 0\r\n\r\nOK\r\n"}, "AT+CMGS=2": {"AT+CMGS=2\r\r\n> "},
			"0011": {"0011\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n"},
		})
		if err := s.Init(bg); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Submit(bg, 2, "0011"); err != nil || r.MR != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestSessionFindsTheOutcomeBehindATextWithoutItsEnd(t *testing.T) {
	for _, test := range []struct {
		said string
		kind gateway.Kind
	}{{"+CMGS: 7\r\n\r\nOK", gateway.KindNone}, {"+CMS ERROR: 38", gateway.KindUnavailable}} {
		bubble(t, func(t *testing.T, s *Session, f *fake) {
			f.script(map[string][]string{
				"AT+CMGS=2": {"\r\n> "},
				"0011":      {"\r\n+CUSD: 0,\"Saldo\r\n> 1\r\n" + test.said + "\r\n"},
			})
			if _, err := s.Submit(bg, 2, "0011"); gateway.KindOf(err) != test.kind {
				t.Errorf("%q: got %v", test.said, err)
			}
			if u := <-s.URCs(); u.Args != "0,\"Saldo\n> 1" {
				t.Errorf("heard %+v", u)
			}
		})
	}
}

// Nobody takes commands any more when the port is gone: each is refused at once, however
// many come.
func TestSessionWithoutItsPortRefusesEveryCommand(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.conn.Close()
		<-s.Done()
		for range 5 {
			if _, err := s.Submit(bg, 2, "0011"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("submit: %v", err)
			}
			if _, err := s.Command(bg, "+CSQ"); gateway.KindOf(err) != gateway.KindUnavailable {
				t.Errorf("command: %v", err)
			}
		}
	})
}

func TestSessionWithoutAPromptSendsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {""}})
		begin := time.Now()
		_, err := s.Submit(bg, 2, "0011")
		if gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v of kind %s", err, gateway.KindOf(err))
		}
		if d := time.Since(begin); d < standard.Prompt || d > standard.Prompt+2*time.Second {
			t.Errorf("gave up after %s", d)
		}
		if slices.Contains(f.got(), "0011") {
			t.Errorf("modem got %q", f.got())
		}
		if info, err := s.Query(bg, "+CMGF?", "+CMGF"); err != nil || info[0] != "0" {
			t.Errorf("afterwards: %q, %v", info, err)
		}
	})
}

// A modem that is silent after Ctrl-Z may have sent the message; the answer that
// comes too late belongs to it and to nothing else.
func TestSessionSilenceAfterThePayloadIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {""}})
		begin := time.Now()
		_, err := s.Submit(bg, 2, "0011")
		if gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("got %v of kind %s", err, gateway.KindOf(err))
		}
		if d := time.Since(begin); d > (Times{}).SendLimit() {
			t.Errorf("took %s, more than %s", d, (Times{}).SendLimit())
		}
	})
}

func TestSessionTakesALateReferenceA4(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {""}})
		go func() {
			time.Sleep(standard.Submit + 100*time.Millisecond)
			f.say("\r\n+CMGS: 41\r\n")
			time.Sleep(100 * time.Millisecond)
			f.say("\r\nOK\r\n")
		}()
		r, err := s.Submit(bg, 2, "0011")
		if err != nil || r.MR != 41 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// A4b: the modem answers the first message late and refuses the second. The second
// must not be taken for sent with the reference of the first.
func TestSessionNeverPairsALateAnswerWithTheNextSendA4b(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{
			"AT+CMGS=2": {"\r\n> ", "\r\n> "},
			"0011":      {""},
			"AT+CMGF?":  {"\r\n+CMGS: 41\r\n\r\nOK\r\n\r\n+CMGF: 0\r\n\r\nOK\r\n", "\r\n+CMGF: 0\r\n\r\nOK\r\n"},
			"0022":      {"\r\n+CMS ERROR: 38\r\n"},
		})
		if r, err := s.Submit(bg, 2, "0011"); err != nil || r.MR != 41 {
			t.Errorf("first: %+v, %v", r, err)
		}
		if r, err := s.Submit(bg, 2, "0022"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("second: %+v, %v", r, err)
		}
	})
}

func TestSessionPairsNothingAfterATimeoutA4(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+COPS?": {""}})
		go func() {
			time.Sleep(10*time.Second + 50*time.Millisecond)
			f.say("\r\n+COPS: 0,0,\"Antel\"\r\n\r\nOK\r\n")
		}()
		if _, err := s.Command(bg, "+COPS?"); err == nil {
			t.Error("a command without an answer succeeded")
		}
		info, err := s.Command(bg, "+CMGF?")
		if err != nil || !slices.Equal(info, []string{"+CMGF: 0"}) {
			t.Errorf("%q, %v", info, err)
		}
	})
}

func TestSessionGoesSilentAndIsRevived(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CSQ": {""}, "AT+CMGF?": {"", "", "\r\n+CMGF: 0\r\n\r\nOK\r\n"}})
		if _, err := s.Command(bg, "+CSQ"); !errors.Is(err, ErrSilent) {
			t.Fatalf("got %v, want ErrSilent", err)
		}
		if _, err := s.Submit(bg, 2, "0011"); !errors.Is(err, ErrSilent) || gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v, want a refusal to send", err)
		}
		if steps, err := s.Revive(bg, false); err != nil || len(steps) != 1 || steps[0].Rung != RungAT {
			t.Errorf("%v, %v", steps, err)
		}
		if _, err := s.Command(bg, "+CREG?"); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionPortLostAfterThePayloadIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {""}})
		go func() { time.Sleep(time.Second); f.conn.Close() }()
		_, err := s.Submit(bg, 2, "0011")
		if gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("got %v", err)
		}
		if s.Cause() == nil {
			t.Error("no cause")
		}
		if _, err := s.Submit(bg, 2, "0022"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestSessionPortLostBeforeThePayloadSendsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {""}})
		go func() { time.Sleep(time.Second); f.conn.Close() }()
		if _, err := s.Submit(bg, 2, "0011"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

func TestSessionCancelAfterThePayloadIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {""}})
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := s.Submit(ctx, 2, "0011"); gateway.KindOf(err) != gateway.KindUnknownOutcome {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func TestSessionAStuckWriteFreesItsCallerA5(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangUp := make(chan struct{})
		s := New(Options{Port: &odd{
			read:  func([]byte) (int, error) { <-hangUp; return 0, errors.New("hung up") },
			write: func([]byte) (int, error) { <-hangUp; return 0, errors.New("hung up") },
		}})
		begin := time.Now()
		if _, err := s.Command(bg, "+CSQ"); gateway.KindOf(err) != gateway.KindUnavailable {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > WriteTimeout+5*time.Second {
			t.Errorf("its caller waited %s", d)
		}
		s.Close()
		close(hangUp)
	})
}
