package serial

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/gsm7"
	"fieldpost/modem/sim"
)

// packedHex writes a text as modems do that hand packed septets on.
func packedHex(t *testing.T, text string) string {
	septets, ok := gsm7.EncodeSeptets(text)
	if !ok {
		t.Fatalf("%q is not in the alphabet", text)
	}
	return strings.ToUpper(hex.EncodeToString(gsm7.PackUSSD(septets)))
}

// Each <dcs> of TS 23.038 §5, in every way that modems write it.
func TestUSSDTextsOfEveryCoding(t *testing.T) {
	long := packedHex(t, "Su saldo es 42.00 pesos")
	for _, test := range []struct {
		args   string
		packed bool
		state  int
		text   string
	}{
		{`0,"Saldo: 42",15`, false, 0, "Saldo: 42"},
		{`0,"Saldo: 42",0`, false, 0, "Saldo: 42"},
		{`0,"Saldo: 42"`, false, 0, "Saldo: 42"},
		{`1,"Menu` + "\n" + `> 1 Si",15`, false, 1, "Menu\n> 1 Si"},
		{`0,"00530061006C0064006F",72`, false, 0, "Saldo"},
		{`0,"00530061006C0064006F",17`, false, 0, "Saldo"}, // language and UCS2, and the language left out
		{`0,"653700530061006C0064006F",17`, false, 0, "Saldo"},
		{`0,"0421043004340434",88`, false, 0, "Садд"},
		{`0,"00530061006C0064006F",15`, false, 0, "Saldo"}, // left with +CSCS="UCS2"
		{`0,"53616C646F",68`, false, 0, "Saldo"},           // octets
		{`0,"53616C646F",244`, false, 0, "Saldo"},
		{`0,"` + long + `",15`, true, 0, "Su saldo es 42.00 pesos"},
		{`0,"` + long + `",15`, false, 0, "Su saldo es 42.00 pesos"}, // of a maker whom nobody knows
		{`0,"en` + "\r" + `Balance 42",16`, false, 0, "Balance 42"},
		{`0,"en` + "\n" + `Balance 42",16`, false, 0, "Balance 42"},
		{`0,"123456",15`, false, 0, "123456"}, // a code that the operator tells
		{`0,"59899123456789",15`, false, 0, "59899123456789"},
		{`0,"CAFE42",15`, false, 0, "CAFE42"},
		{`2`, false, 2, ""},
		{`0,"unclosed`, false, 0, ""},
		{``, false, 0, ""},
	} {
		if state, text := parseUSSD(test.args, test.packed); state != test.state || text != test.text {
			t.Errorf("%q, packed %t: %d, %q; want %d, %q", test.args, test.packed, state, text, test.state, test.text)
		}
	}
}

func TestDialogueAnswersTheMenusOfTheNetwork(t *testing.T) {
	for _, v := range []sim.Vendor{sim.Generic, sim.Huawei} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(_ *Options, s *sim.Options) { s.Vendor = v })
			r.run(t)
			r.host.ready(t)
			if text, err := r.d.Dialogue(bg, 3, []string{"*2#", "1", "2"}); err != nil || text != "done" {
				t.Errorf("%q, %v", text, err)
			}
			if text, err := r.d.Dialogue(bg, 3, []string{"*2#", "1"}); err != nil || text != "2 Sure" {
				t.Errorf("half way: %q, %v", text, err)
			}
			if text, err := r.d.Dialogue(bg, 3, []string{"*100#"}); err != nil || text != "Saldo: 42.00" {
				t.Errorf("the next one: %q, %v", text, err)
			}
			if _, err := r.d.Dialogue(bg, 3, []string{"*100#", "1"}); gateway.KindOf(err) != gateway.KindRefused || !strings.Contains(err.Error(), "before request 2 of 2") {
				t.Errorf("a menu that is none: %v", err)
			}
			if _, err := r.d.Dialogue(bg, 3, nil); gateway.KindOf(err) != gateway.KindInvalid {
				t.Errorf("nothing: %v", err)
			}
			if _, err := r.d.Dialogue(bg, 3, make([]string, ussdSteps+1)); gateway.KindOf(err) != gateway.KindInvalid {
				t.Errorf("too much: %v", err)
			}
		})
	}
}

// The answer to a dialogue that was given up comes late: it is not the next one's.
func TestLateAnswerIsNotTheNextDialogues(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options, s *sim.Options) {
		s.Latency, o.Every.Echo = 300*time.Millisecond, 600*time.Millisecond
	})
	r.run(t)
	r.host.ready(t)
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	if _, err := r.d.USSD(ctx, 3, "*100#"); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(err.Error(), "given up") {
		t.Errorf("got %v", err)
	}
	if text, err := r.d.USSD(bg, 3, "*1345#"); err != nil || text != "Menú ñ 中" {
		t.Errorf("the next one: %q, %v", text, err)
	}
}

// The network thinks for long: a message does not wait for it.
func TestMessageDoesNotWaitForADialogue(t *testing.T) {
	r := newRig(t, tapping(func(cmd string) (string, bool) { // the answer never comes
		return "\r\nOK\r\n", strings.HasPrefix(cmd, "AT+CUSD=1")
	}))
	r.run(t)
	r.host.ready(t)
	ctx, cancel := context.WithCancel(bg)
	ended := make(chan error, 1)
	go func() {
		_, err := r.d.USSD(ctx, 3, "*100#")
		ended <- err
	}()
	for range 20 {
		if _, err := r.d.Send(bg, 3, submission(t, "+59899123456", "Hola")[0]); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-ended:
		t.Errorf("the dialogue ended: %v", err)
	default:
	}
	cancel()
	if err := <-ended; gateway.KindOf(err) != gateway.KindUnavailable {
		t.Errorf("got %v", err)
	}
}
