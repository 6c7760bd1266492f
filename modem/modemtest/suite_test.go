package modemtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"fieldpost/modem/modemtest"
)

// flawOf names the flaw of the driver that a child process runs the suite on.
const flawOf = "MODEMTEST_FLAW"

func TestACorrectDriverPasses(t *testing.T) {
	modemtest.Run(t, modemtest.Harness{New: func(t testing.TB) *modemtest.Rig { return newFake(t, "") }})
}

// TestFlawed is what the children run.
func TestFlawed(t *testing.T) {
	flaw := os.Getenv(flawOf)
	if flaw == "" {
		t.Skip("run by TestTheSuiteFindsEachFlaw")
	}
	modemtest.Run(t, modemtest.Harness{
		New:      func(t testing.TB) *modemtest.Rig { return newFake(t, flaw) },
		Patience: 300 * time.Millisecond,
	})
}

func TestTheSuiteFindsEachFlaw(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for flaw, found := range map[string]string{
		"says accepted on silence":                  "silence_without_a_message_on_the_air",
		"says unavailable on silence":               "silence_with_the_message_on_the_air",
		"sends again on silence":                    "silence_with_the_message_on_the_air",
		"takes any answer for its own":              "A4b:_a_late_answer",
		"folds every refusal into unavailable":      "a_refusal_for_good",
		"gives each segment a reference of its own": "a_long_text_joins",
		"spoils what is beyond 16 bits":             "every_text_arrives",
		"never asks for reports":                    "a_delivery_report_is_asked_for",
		"makes a short code international":          "a_short_code",
		"does not hear its context":                 "a_context_that_ends_in_mid-send",
		"sends for a caller who has gone":           "a_context_that_ended_before",
		"deletes before it is stored":               "an_inbound_message_stays_at_the_device",
		"drops what was not stored":                 "an_inbound_message_stays_at_the_device",
		"forgets the reference of a part":           "an_inbound_long_text",
		"stamps what it reads again":                "an_inbound_message_that_is_fetched_again",
		"drops a text that it had":                  "two_inbound_messages_with_one_text",
		"names a text by its words":                 "two_inbound_messages_with_one_text",
		"takes a report for one of its last send":   "late_delivery_reports",
		"reports a message once":                    "each_segment_of_a_long_text",
		"calls the end of Run an error":             "Run_returns_nil",
		"is always ready":                           "without_network",
		"loses reports":                             "a_delivery_report_says_which_segment",
		"says that every report is good news":       "a_delivery_report_of_a_failure",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), self, "-test.run=^TestFlawed$/"+pattern(found), "-test.v")
			child.Env = append(os.Environ(), flawOf+"="+flaw)
			out, err := child.CombinedOutput()
			if err == nil {
				t.Fatalf("the suite passes a driver that %s:\n%s", flaw, out)
			}
			if !strings.Contains(string(out), "--- FAIL: TestFlawed/"+found) {
				t.Errorf("a driver that %s is not failed by the case %q:\n%s", flaw, found, out)
			}
		})
	}
}

// pattern makes an expression that matches a case by the beginning of its name.
func pattern(name string) string { return "^" + name }
