package sim

import (
	"fmt"
	"time"
)

// never is what a modem's clock says that has not heard the network's.
const never = "80/01/06,00:00:17+00"

// SetTold says whether the network tells its modems the time (NITZ, TS 22.042).
func (m *Modem) SetTold(told bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.untold = !told
}

// ctzu has the clock follow the network (TS 27.007 §8.40). A Quectel's takes UTC from it
// with 1, and local time with 3.
func ctzu(m *Modem, c *call) verdict {
	most := 1
	if m.o.Vendor == Quectel {
		most = 3
	}
	return m.toggle(c, "+CTZU", most, &m.set.ctzu)
}

func ctzr(m *Modem, c *call) verdict { return m.toggle(c, "+CTZR", 1, &m.set.ctzr) }

// cclk tells the clock (TS 27.007 §8.15).
func cclk(m *Modem, c *call) verdict {
	if c.form != query {
		return ok()
	}
	if m.untold || m.set.ctzu == 0 {
		m.info(`+CCLK: "` + never + `"`)
		return ok()
	}
	t := m.net.o.Now()
	_, offset := t.Zone()
	if m.o.Vendor == Quectel && m.set.ctzu == 1 {
		t = t.In(time.UTC) // and the zone stays that of the place
	}
	m.info(fmt.Sprintf(`+CCLK: "%s%+03d"`, t.Format("06/01/02,15:04:05"), offset/900))
	return ok()
}
