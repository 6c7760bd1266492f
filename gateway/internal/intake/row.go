package intake

import (
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// The names of the columns, in the corrected and the old spelling (P63).
var columns = [...][2]string{
	{"campaign", "campign"},
	{"destination", "destiny"},
	{"message", "menssage"},
	{"priority", "priority"},
}

// baseHeader says that a row is the names of the columns. Names for the data
// behind them may follow.
func baseHeader(fields []string) bool {
	if len(fields) < len(columns) {
		return false
	}
	for i, names := range columns {
		f := strings.TrimSpace(fields[i])
		if !strings.EqualFold(f, names[0]) && !strings.EqualFold(f, names[1]) {
			return false
		}
	}
	return true
}

// blacklistHeader says that a row is "phone" or "phone;campaign".
func blacklistHeader(fields []string) bool {
	return strings.EqualFold(strings.TrimSpace(fields[0]), "phone") &&
		(len(fields) == 1 || strings.EqualFold(strings.TrimSpace(fields[1]), columns[0][0]))
}

// message makes a message of a row of a base, or says why it cannot: the column and
// the reason. A number that has no valid form makes a message that is stored as
// invalid, so that it is counted and seen with its campaign (P140).
func (i *Intake) message(fields []string, up *spool.Upload, now time.Time) (gateway.Message, string) {
	if len(fields) < len(columns) {
		return gateway.Message{}, "has " + strconv.Itoa(len(fields)) +
			" columns, not campaign;destination;message;priority"
	}
	m := gateway.Message{
		Campaign: strings.TrimSpace(fields[0]), Typed: strings.TrimSpace(fields[1]), Text: fields[2],
		Data: data(fields[len(columns):]), Agent: up.Agent, Upload: up.ID,
		Priority: gateway.PriorityBulk, Created: now, Status: gateway.StatusQueued,
	}
	if up.Held {
		m.Status = gateway.StatusHeld
	}
	if m.Campaign == "" {
		m.Campaign = up.Campaign
	}
	route, err := i.o.Catalog.Resolve(m.Campaign)
	if err != nil {
		return m, inColumn("campaign", err)
	}
	m.Policy = route.Policy
	if p := strings.TrimSpace(fields[3]); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return m, "priority: " + short(p) + " is no number from 0 to 65535"
		}
		m.Priority = uint16(n)
	}
	plan, err := i.text.Plan(m.Text)
	if err != nil {
		return m, inColumn("message", err)
	}
	m.Encoding, m.Segments = plan.Encoding, uint8(plan.Segments)
	if i.o.ValidBase > 0 {
		m.ValidUntil = now.Add(i.o.ValidBase)
	}
	return m, i.address(&m)
}

// address normalises the destination of a row.
func (i *Intake) address(m *gateway.Message) string {
	if m.Typed == "" {
		return "destination: is missing"
	}
	if err := checkField("destination", m.Typed, maxTyped); err != nil {
		return inColumn("destination", err)
	}
	if err := checkField("data", m.Data, maxData); err != nil {
		return inColumn("data", err)
	}
	to, err := i.o.Numbers.Normalise(m.Typed)
	if err != nil {
		m.Status, m.Kind, m.Reason = gateway.StatusInvalid, gateway.KindInvalid, inColumn("destination", err)
	}
	m.To = to
	return ""
}

// listed makes an entry of the blacklist of a row, or says why it cannot.
func (i *Intake) listed(fields []string, up *spool.Upload, at time.Time) (spool.Listed, string) {
	l := spool.Listed{Source: up.Agent, At: at}
	if len(fields) > 2 && !allBlank(fields[2:]) {
		return l, "has " + strconv.Itoa(len(fields)) + " columns, not phone;campaign"
	}
	if len(fields) > 1 {
		l.Campaign = strings.TrimSpace(fields[1])
	}
	switch l.Campaign {
	case "":
		l.Campaign = up.Campaign
	case "*":
		l.Campaign = ""
	}
	if l.Campaign != "" {
		if _, err := i.o.Catalog.Resolve(l.Campaign); err != nil {
			return l, inColumn("campaign", err)
		}
	}
	typed := strings.TrimSpace(fields[0])
	if typed == "" {
		return l, "phone: is missing"
	}
	if err := checkField("phone", typed, maxTyped); err != nil {
		return l, inColumn("phone", err)
	}
	to, err := i.o.Numbers.Normalise(typed)
	if err != nil {
		return l, inColumn("phone", err)
	}
	l.Number = to
	return l, ""
}

// data gives the columns behind the fourth: one as it is, several as the CSV that
// they were, so that they can be told apart again (P71).
func data(fields []string) string {
	switch len(fields) {
	case 0:
		return ""
	case 1:
		return fields[0]
	}
	quoted := make([]string, len(fields))
	for i, f := range fields {
		if strings.ContainsAny(f, ";\"\r\n") {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		quoted[i] = f
	}
	return strings.Join(quoted, ";")
}

func allBlank(fields []string) bool { r := record{fields: fields}; return r.blank() }

// inColumn says what is wrong in a column.
func inColumn(column string, err error) string { return refield(err, column).Error() }

// short quotes at most 20 bytes of what somebody wrote.
func short(s string) string {
	if len(s) > 20 {
		s = strings.ToValidUTF8(s[:20], "") + "..."
	}
	return strconv.Quote(s)
}
