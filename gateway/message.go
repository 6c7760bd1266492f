package gateway

import "time"

// Status is where a message stands. The numbers are on disk.
type Status uint8

// The statuses of an outbound message. Claimed and Submitting are seen from
// outside but never stored: a claim is memory only, and a row with an open
// intent is stored as queued.
const (
	StatusNone        Status = 0  // no message
	StatusHeld        Status = 1  // loaded, not released
	StatusQueued      Status = 2  // waits for a channel
	StatusClaimed     Status = 3  // a dialer holds it in memory
	StatusSubmitting  Status = 4  // an intent is open: a device has it, or is about to
	StatusSubmitted   Status = 5  // a device or cloud took it; the network has not answered
	StatusSent        Status = 6  // the network took every segment
	StatusDelivered   Status = 7  // reports say that the handset has it
	StatusUndelivered Status = 8  // reports say that it never will
	StatusUnknown     Status = 9  // it may or may not have gone out
	StatusFailed      Status = 10 // refused for good, or out of attempts
	StatusBlocked     Status = 11 // on the blacklist
	StatusInvalid     Status = 12 // the number or text can never work
	StatusExpired     Status = 13 // valid_until passed first
	StatusCanceled    Status = 14 // a person took it back

	// NumStatus is one more than the highest status.
	NumStatus = 15
)

var statusNames = [NumStatus]string{
	"", "held", "queued", "claimed", "submitting", "submitted", "sent", "delivered",
	"undelivered", "unknown", "failed", "blocked", "invalid", "expired", "canceled",
}

// String gives the status's word; "" for StatusNone.
func (s Status) String() string {
	if s < NumStatus {
		return statusNames[s]
	}
	return ""
}

// ParseStatus reads a status's word.
func ParseStatus(word string) (Status, bool) {
	for i, n := range statusNames {
		if i > 0 && n == word {
			return Status(i), true
		}
	}
	return StatusNone, false
}

// Statuses lists every status, in order.
func Statuses() []Status {
	all := make([]Status, 0, NumStatus-1)
	for s := StatusHeld; s < NumStatus; s++ {
		all = append(all, s)
	}
	return all
}

// Waiting says that the message has not been handed to a device yet.
func (s Status) Waiting() bool {
	return s == StatusHeld || s == StatusQueued || s == StatusClaimed
}

// Final says that nothing but a late report or a person will change it.
func (s Status) Final() bool {
	switch s {
	case StatusSent, StatusDelivered, StatusUndelivered, StatusFailed, StatusBlocked,
		StatusInvalid, StatusExpired, StatusCanceled:
		return true
	}
	return false
}

// Code is a status as the old table of the product numbers it.
type Code uint8

// The state codes, for clients that know the old table.
const (
	CodeNone      Code = 0
	CodeToProcess Code = 1
	CodeClaimed   Code = 2
	CodeBlocked   Code = 3
	CodeInvalid   Code = 4
	CodeFailed    Code = 5
	CodeSent      Code = 6
	CodeUnknown   Code = 7
)

var codeNames = [...]string{"NONE", "TO PROCESS", "CLAIMED", "BLOCKED", "INVALID", "FAILED", "SENT", "UNKNOWN"}

// String gives the code's name in the old table.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "NONE"
}

// Code gives the status's number in the old table.
func (s Status) Code() Code {
	switch s {
	case StatusQueued:
		return CodeToProcess
	case StatusClaimed, StatusSubmitting:
		return CodeClaimed
	case StatusBlocked:
		return CodeBlocked
	case StatusInvalid:
		return CodeInvalid
	case StatusFailed, StatusExpired, StatusCanceled:
		return CodeFailed
	case StatusSubmitted, StatusSent, StatusDelivered, StatusUndelivered:
		return CodeSent
	case StatusUnknown:
		return CodeUnknown
	}
	return CodeNone
}

// UnknownPolicy says what happens to a message whose outcome nobody knows.
type UnknownPolicy uint8

// The policies. Hold is the default: a person or a report decides.
const (
	UnknownHold   UnknownPolicy = 0
	UnknownResend UnknownPolicy = 1 // queue it again after the wait for a report, and say so in its timeline
)

// Priorities: the lower leaves first.
const (
	PrioritySingle uint16 = 1    // scheduled and single messages
	PriorityBulk   uint16 = 9999 // the customary priority of a base
	MaxPriority    uint16 = 65535
)

// Encoding is how a text travels: TS 23.038 §4.
type Encoding uint8

// The encodings of a text.
const (
	EncodingGSM7 Encoding = 0 // the GSM 7-bit default alphabet and its extension table
	EncodingUCS2 Encoding = 1 // UTF-16 big endian, which phones read for UCS2
)

// String gives the encoding's name.
func (e Encoding) String() string {
	if e == EncodingUCS2 {
		return "UCS2"
	}
	return "GSM7"
}

// Message is one outbound text to one address.
type Message struct {
	IDM      uint64 // entry position: increasing, never used again; the public id in decimal
	Campaign string // the campaign or dialer it was entered for
	To       Address
	Typed    string // the destination as the caller wrote it
	Text     string
	Data     string // extra data of the caller, kept as it came
	Agent    string // who asked for it
	Source   string // a port that the caller asked for; "" = the ring's choice
	Upload   string // the base it came with; "" for a single message
	Priority uint16
	Policy   UnknownPolicy

	Created    time.Time
	NotBefore  time.Time // zero: at once
	ValidUntil time.Time // zero: no end
	Finished   time.Time // when it reached a final status; zero before

	Status   Status
	Kind     Kind   // why it failed or is in doubt; KindNone otherwise
	Reason   string // the same in words
	Encoding Encoding
	Segments uint8 // how many it takes: 1 to gsm7.MaxSegments
	Attempts uint16

	Channel string // the channel that carried it last, "provider/port"
	IMEI    string // the device of that channel
	ICCID   string // the SIM of that channel: missing segments must follow on the same one
	Parts   []Part // one a segment, once the first was tried
	History []Transition
	Omitted uint32 // transitions left out of the middle of History, to bound it
}

// ConcatRef is the 16-bit concatenation reference of a message's segments
// (TS 23.040 §9.2.3.24.8). It is taken from the entry position, so that a retry
// after any crash uses the same one and two messages to one phone differ.
func (m *Message) ConcatRef() uint16 { return uint16(m.IDM) }

// Part is what is known of one segment.
type Part struct {
	Status Status // StatusNone until tried, then submitted, sent, delivered, undelivered, unknown or failed
	MR     uint8  // TP-MR that the modem gave it (TS 23.040 §9.2.3.6); valid when HasMR
	HasMR  bool
	Ref    string // the reference of a device that has no TP-MR
	ST     uint8  // TP-Status of its last report (TS 23.040 §9.2.3.15)
	At     time.Time
}

// Transition is one line of a message's timeline.
type Transition struct {
	At      time.Time
	Status  Status
	Channel string // "" where no channel took part
	Kind    Kind
	Code    string // raw code of the wire
	Text    string // why, in words
}
