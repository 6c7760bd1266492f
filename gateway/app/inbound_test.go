package app

import (
	"strings"
	"testing"
	"time"

	"fieldpost/gateway/client"
	"fieldpost/modem/sim"
)

func TestALongMessageWaitsForItsSegmentsAsLongAsTheSiteSays(t *testing.T) {
	t.Parallel()
	later := time.Duration(0)
	h := newHouse(t, setup{sections: "[inbound]\nincomplete_after = \"1h\"", now: func() time.Time { return time.Now().Add(later) }})
	h.ready(1)
	text := strings.Repeat("A text of two segments. ", 10)
	in := sim.Incoming{From: customer, To: h.bank.Modems[0].Card().ICCID(), Text: text, Ref: 9, Order: []int{2}}
	must(t, h.bank.Network.Deliver(in))
	eventually(t, "the modem's segment is stored", func() bool { return h.bank.Modems[0].Card().Stored() == 0 })
	h.stop()
	for _, more := range []time.Duration{50 * time.Minute, 20 * time.Minute} {
		later += more
		h.start()
		if later < time.Hour {
			h.ready(1)
			if got := h.inbox(); len(got) != 0 {
				t.Errorf("after %v it is delivered: %q", later, got)
			}
		} else {
			eventually(t, "it is delivered incomplete", func() bool { return len(h.inbox()) == 1 })
		}
		h.stop()
	}
	h.start()
	in.Order = []int{1}
	must(t, h.bank.Network.Deliver(in))
	eventually(t, "the late segment completes it", func() bool {
		page, err := h.Inbound(t.Context(), client.List{})
		must(t, err)
		return len(page.Items) == 1 && !page.Items[0].Incomplete && page.Items[0].Text == text
	})
}
