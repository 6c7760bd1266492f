package at

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"fieldpost/gateway"
)

// dead is a modem that answers nothing but what it is given.
func dead(but map[string][]string) map[string][]string {
	for _, cmd := range []string{"AT", "ATE0", "AT+CMGF?", "AT+CSQ", "AT+CFUN=4", "AT+CFUN=0", "AT+CFUN=1", "AT+CFUN=1,1"} {
		if _, ok := but[cmd]; !ok {
			but[cmd] = nil
		}
	}
	return but
}

func rungs(steps []Step) []string {
	var names []string
	for _, s := range steps {
		names = append(names, s.Rung)
	}
	return names
}

const (
	yes    = "\r\nOK\r\n"
	pduYes = "\r\n+CMGF: 0\r\n\r\nOK\r\n"
)

func TestLadderIsClimbedRungByRung(t *testing.T) {
	for name, test := range map[string]struct {
		answers map[string][]string
		want    []string
		woken   bool
	}{
		"AT helps":     {map[string][]string{"AT": {yes}, "AT+CMGF?": {"", "", pduYes}}, []string{RungAT}, true},
		"ESC helps":    {map[string][]string{"AT+CMGF?": {"", "", pduYes}}, []string{RungAT, RungEscape}, true},
		"init helps":   {map[string][]string{"AT": {"", "", "", yes}, "ATE0": {yes}, "AT+CMGF?": {"", "", "", pduYes}}, []string{RungAT, RungEscape, RungInit}, true},
		"radio helps":  {map[string][]string{"AT": {"", "", "", "", "", "", yes}, "ATE0": {yes}, "AT+CMGF?": {"", "", "", pduYes}, "AT+CFUN=4": {yes}, "AT+CFUN=1": {yes}}, []string{RungAT, RungEscape, RungInit, RungRadio}, true},
		"4 is unknown": {map[string][]string{"AT": {"", "", "", "", "", "", yes}, "ATE0": {yes}, "AT+CMGF?": {"", "", "", pduYes}, "AT+CFUN=4": {"\r\nERROR\r\n"}, "AT+CFUN=0": {yes}, "AT+CFUN=1": {yes}}, []string{RungAT, RungEscape, RungInit, RungRadio}, true},
		"nothing does": {map[string][]string{}, []string{RungAT, RungEscape, RungInit, RungRadio, RungRestart}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *Session, f *fake) {
				f.script(dead(test.answers))
				if _, err := s.Command(bg, "+CSQ"); !errors.Is(err, ErrSilent) {
					t.Fatalf("got %v", err)
				}
				steps, err := s.Revive(bg, false)
				if !slices.Equal(rungs(steps), test.want) || (err == nil) != test.woken {
					t.Fatalf("%v, %v; want %q", steps, err, test.want)
				}
				for i, step := range steps {
					if (step.Err == nil) != (test.woken && i == len(steps)-1) {
						t.Errorf("%s", step)
					}
				}
				if !test.woken {
					<-s.Done()
					return
				}
				if _, err := s.Command(bg, "+CREG?"); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func TestLadderThatIsGentleLeavesTheNetworkAlone(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(dead(map[string][]string{}))
		s.Command(bg, "+CSQ")
		steps, err := s.Revive(bg, true)
		if !slices.Equal(rungs(steps), []string{RungAT, RungEscape, RungInit}) || !errors.Is(err, ErrSilent) {
			t.Errorf("%v, %v", steps, err)
		}
		<-s.Done()
		for _, cmd := range f.got() {
			if cmd == "AT+CFUN=4" || cmd == "AT+CFUN=1,1" {
				t.Errorf("it was told %s", cmd)
			}
		}
	})
}

// A rung waits until the message that is on its way has its outcome, and what came late
// counts.
func TestLadderWaitsForASendInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(dead(map[string][]string{"AT+CMGS=2": {"\r\n> "}, "0011": {""}}))
		sent := make(chan error, 1)
		go func() {
			_, err := s.Submit(bg, 2, "0011")
			sent <- err
		}()
		synctest.Wait() // the message is with the modem
		steps, _ := s.Revive(bg, false)
		select {
		case err := <-sent:
			if gateway.KindOf(err) != gateway.KindUnknownOutcome {
				t.Errorf("the send: %v", err)
			}
		default:
			t.Errorf("%v were tried while the outcome was open", steps)
		}
	})
}

func TestRadioOfAModemThatAnswersIsSwitched(t *testing.T) {
	bubble(t, func(t *testing.T, s *Session, f *fake) {
		f.script(map[string][]string{})
		step, err := s.Radio(bg)
		if err != nil || step.Rung != RungRadio || step.Err != nil {
			t.Fatalf("%v, %v", step, err)
		}
		got := f.got()
		if i, j := slices.Index(got, "AT+CFUN=4"), slices.Index(got, "AT+CFUN=1"); i < 0 || j < i {
			t.Errorf("modem got %q", got)
		}
	})
}
