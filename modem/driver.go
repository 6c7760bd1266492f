package modem

import (
	"context"
	"time"

	"fieldpost/gateway"
)

// Driver serves one device. See the package documentation for the contract.
type Driver interface {
	// Run opens the device, reports its channels to host and serves until ctx ends
	// (nil) or the device is lost (why).
	Run(ctx context.Context, host Host) error
	// Send hands one submission to a port of the device.
	Send(ctx context.Context, port int, s Submission) (Receipt, error)
	// Limits says what the device takes, and how long it may need.
	Limits() Limits
}

// Host is what a driver reports to. Its methods may be called from any goroutine.
type Host interface {
	// Channel reports the present state of one port. Provider, ID and Since are
	// filled in by the host.
	Channel(c gateway.Channel)
	// Inbound stores one received TPDU and returns when it is on disk.
	Inbound(ctx context.Context, in Part) error
	// Report stores one delivery report and returns when it is on disk.
	Report(ctx context.Context, r gateway.StatusReport) error
}

// Limits is what a device takes at once.
type Limits struct {
	Whole bool          // Send takes a whole message and cuts it itself; otherwise it takes one segment
	Send  time.Duration // Send returns within this
}

// Submission is one unit for the air: a segment, or a whole message for a
// driver whose limits say so.
type Submission struct {
	IDM      uint64
	UserID   uint32 // ours, unique over years, durable before the first byte leaves
	To       gateway.Address
	Text     string // of the whole message: the segment is cut from it
	Encoding gateway.Encoding
	Segment  int           // 1-based; 0 for a whole message
	Segments int           // of the whole message
	Ref      uint16        // concatenation reference, the same in every try
	More     bool          // another segment follows at once: keep the link open (TS 27.005 §3.5.6)
	Report   bool          // ask for a delivery report (TP-SRR)
	Validity time.Duration // TP-VP; 0 = the SMSC's default
	Flash    bool          // class 0: shown at once (TS 23.038 §4)
	Sender   string        // SMS From, where the device lets us choose
}

// Receipt is what a device said when it accepted a submission.
type Receipt struct {
	MR     uint8 // TP-MR, valid when HasMR
	HasMR  bool
	Ref    string // the device's own reference, where it has one
	Queued bool   // the device took it, the network has not answered yet: submitted, not sent
}

// Part is one inbound TPDU as a driver received it, decoded as far as it could be.
type Part struct {
	Port      int
	ICCID     string
	IMSI      string
	From      string // as the network wrote it
	SMSC      string
	SentAt    time.Time // SCTS; zero where it cannot be read
	Text      string    // decoded text of this part alone; "" when Septets or Octets must be joined first
	Septets   []byte    // one a byte, still encoded: GSM7 parts are joined before they are decoded
	Octets    []byte    // UCS2 or 8-bit user data without its header
	Coding    Coding
	Ref       uint16
	Wide      bool   // Ref has 16 bits
	Total     int    // 0 or 1 = a message of its own
	Seq       int    // 1-based
	Raw       string // the TPDU in hex, with its SMSC
	ID        string // the device's own identity of it, which nothing else is compared with; "" = it has none
	Undecoded string // why it could not be read; From and Text are then best guesses
}

// Coding is how a part's user data is written (TS 23.038 §4).
type Coding uint8

// The codings of user data.
const (
	CodingGSM7 Coding = iota
	CodingUCS2
	Coding8Bit
)

// USSDer is a driver that can run a USSD dialogue on a port.
type USSDer interface {
	USSD(ctx context.Context, port int, code string) (string, error)
}

// Dialoguer is a USSDer that can answer the menus which the network opens.
type Dialoguer interface {
	// Dialogue sends the first code, and each further one in answer to a menu. It gives
	// the network's last text.
	Dialogue(ctx context.Context, port int, codes []string) (string, error)
}

// Resetter is a driver that can restart a port. It refuses while a send is in doubt.
type Resetter interface {
	Reset(ctx context.Context, port int) error
}

// Reconciler is a driver that can ask its device what became of submissions.
type Reconciler interface {
	// Reconcile gives the fate of a submission: a Receipt, an error of Send's kinds when
	// nothing of it went out, or unknown_outcome when the device does not know it either or
	// cannot be asked.
	Reconcile(ctx context.Context, port int, q Question) (Receipt, error)
}

// Question asks for the fate of a submission. A device can know its user id from
// another: one of an earlier installation of this box, or of another program.
type Question struct {
	UserID uint32
	To     gateway.Address
}
