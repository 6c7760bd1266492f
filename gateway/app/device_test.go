package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

func TestADeviceThatIsNotThereIsAwaitedAndSendsOncePluggedIn(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{modems: 2})
	absent := h.bank.Modems[1]
	absent.Unplug()
	h.start()
	h.ready(1)
	h.started("ring", func(d *client.Dialer) { d.DialString = "1" })
	a := h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "ring"})
	eventually(t, "its channel says why", func() bool {
		c := h.channel(1)
		return c.State == "absent" && strings.Contains(c.Reason, h.bank.Device(1)+": no such device")
	})
	x, err := h.Explain(t.Context(), a.ID)
	must(t, err)
	if said := strings.Join(x.Reasons, " "); !strings.Contains(said, "bank/1") {
		t.Errorf("the message says %q", said)
	}
	must(t, absent.Replug())
	if m := h.becomes(a.ID, "sent"); m.Channel != "bank/1" || m.Attempts != 1 {
		t.Errorf("sent as %+v", m)
	}
}

func TestAModemUnpluggedInMidBaseCostsTheOthersNothing(t *testing.T) {
	t.Parallel()
	const rows = 40
	h := newHouse(t, setup{modems: 2})
	h.ready(2)
	h.started("test1")
	h.base("test1", numbered("test1", rows/2))
	h.processed("test1")
	h.bank.Modems[0].Unplug()
	eventually(t, "its channel is absent", func() bool { return h.channel(0).State == "absent" })
	h.base("test1", strings.ReplaceAll(strings.ReplaceAll(numbered("test1", rows), ";Row ", ";Again "), "\n", ";again\n"))
	if c := h.processed("test1"); int(c.Processed) != rows+rows/2 || c.ByStatus["unknown"] != 0 {
		t.Errorf("the counters are %+v", c)
	}
	must(t, h.bank.Modems[0].Replug())
	h.ready(2)
}

func TestAPortTakenByAnotherProgramIsNamedAndUsedOnceFree(t *testing.T) {
	t.Parallel()
	h := buildHouse(t, setup{modems: 2})
	pid, release := holdElsewhere(t, h.bank.Device(1))
	h.start()
	h.ready(1)
	eventually(t, "its channel names the program", func() bool {
		c := h.channel(1)
		return c.State == "fault" && strings.Contains(c.Reason, h.bank.Device(1)) && strings.Contains(c.Reason, fmt.Sprintf("process %d", pid))
	})
	h.started("ring")
	h.becomes(h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "ring"}).ID, "sent")
	release()
	h.ready(2)
}

// holdElsewhere has another process hold a port.
func holdElsewhere(t *testing.T, path string) (pid int, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), playHolder+"="+path)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	release = func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // once; a second one has nothing to wait for
	}
	t.Cleanup(release)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q (%v)", line, err)
	}
	return cmd.Process.Pid, release
}

func TestAProviderMadeOverTheAPIBringsItsModemsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.ready(1)
	spare, err := sim.Open(sim.Options{
		Network: h.bank.Network, Link: filepath.Join(t.TempDir(), "spare"),
		Card: sim.NewCard(sim.CardOptions{ICCID: "8959800000000000999", IMSI: "748990000000999", Number: "+59890000999"}),
	})
	must(t, err)
	t.Cleanup(func() { must(t, spare.Close()) })
	_, err = h.CreateProvider(t.Context(), client.Provider{Name: "more", Type: "GSM", Ports: []client.Port{{Port: 5, Device: spare.Device()}}})
	must(t, err)
	h.ready(2)
	h.started("ring", func(d *client.Dialer) { d.Provider, d.DialString = "more", "5" })
	if m := h.becomes(h.submit(client.NewMessage{To: "098344484", Text: "Hi", Campaign: "ring"}).ID, "sent"); m.Channel != "more/5" {
		t.Errorf("sent as %+v", m)
	}
	var e *gateway.Error
	_, err = h.CreateProvider(t.Context(), client.Provider{Name: "thief", Type: "GSM", Ports: []client.Port{{Port: 0, Device: h.bank.Device(0)}}})
	if !errors.As(err, &e) || e.Kind != gateway.KindConflict || e.Field != "port[0].device" || !strings.Contains(e.Text, "port 0 of provider bank") {
		t.Errorf("a device of another provider: %v", err)
	}
}

// The file takes a modem that a provider of the API had: neither the daemon nor the
// other modems suffer.
func TestAModemOfTwoProvidersIsTheFilesAndTheOtherChannelSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, setup{})
	h.ready(1)
	later := filepath.Join(h.bank.Dir(), "port1")
	_, err := h.CreateProvider(t.Context(), client.Provider{Name: "api", Type: "GSM", Ports: []client.Port{{Port: 7, Device: later}}})
	must(t, err)
	h.stop()
	spare, err := sim.Open(sim.Options{Network: h.bank.Network, Name: "port1", Link: later, Card: sim.NewCard(sim.CardOptions{
		ICCID: "8959800000000000999", IMSI: "748990000000999", Number: "+59890000999",
	})})
	must(t, err)
	h.bank.Modems = append(h.bank.Modems, spare)
	h.start()
	h.ready(2)
	if c := h.channel(1); c.State != "ready" {
		t.Errorf("the file's channel: %+v", c)
	}
	c, err := h.Channel(t.Context(), "api/7")
	must(t, err)
	if c.State != "absent" || !strings.Contains(c.Reason, later+": provider bank has this device") {
		t.Errorf("the other channel: %+v", c)
	}
}
