package at

import (
	"errors"
	"strconv"

	"github.com/warthog618/modem/at"

	"fieldpost/gateway"
)

// Class says who or what is at fault when a modem refuses a command.
type Class uint8

// The classes of a refusal.
const (
	Permanent Class = iota // this message or command never works
	Temporary              // the same may work later
	SIM                    // the SIM, its credit or its memory: the channel needs a look
	Setup                  // a setting of the modem is missing: it can be mended
	Doubt                  // nobody knows whether it took effect: of a message, it may have been sent
)

// code is one row of the table: what a number in +CMS ERROR or +CME ERROR means.
type code struct {
	class Class
	text  string
}

// cms are the codes of +CMS ERROR: RP causes below 128 (TS 24.011 §E.2), TP causes
// to 255 (TS 23.040 §9.2.3.22), the rest TS 27.005 §3.2.5.
var cms = map[int]code{
	1:   {Permanent, "the number is not assigned"},
	8:   {Permanent, "the operator bars this number or subscriber"},
	10:  {Permanent, "the subscriber is barred"},
	21:  {SIM, "the network rejected the transfer: mostly no credit"},
	22:  {Temporary, "the destination's memory is full"},
	27:  {Temporary, "the destination is out of order"},
	28:  {Permanent, "the network does not know this subscriber"},
	29:  {Permanent, "the network refused the facility"},
	30:  {Permanent, "the network does not know the subscriber"},
	38:  {Temporary, "the network is out of order"},
	41:  {Temporary, "temporary failure of the network"},
	42:  {Temporary, "the network is congested"},
	47:  {Temporary, "the network is out of resources"},
	50:  {Permanent, "the SIM is not subscribed to this service"},
	69:  {Permanent, "the network does not offer this service"},
	81:  {Temporary, "the network lost the transfer's reference"},
	95:  {Permanent, "the network calls the message invalid"},
	96:  {Permanent, "the network misses a mandatory element"},
	97:  {Permanent, "the network does not know this message type"},
	98:  {Temporary, "the network did not expect this message now"},
	99:  {Permanent, "the network does not know an element of the message"},
	111: {Permanent, "protocol error in the network"},
	127: {Temporary, "the network gave no reason"},
	128: {Permanent, "telematic interworking is not supported"},
	129: {Permanent, "short message type 0 is not supported"},
	130: {Permanent, "short messages cannot be replaced"},
	143: {Permanent, "the protocol identifier is not supported"},
	144: {Permanent, "the alphabet is not supported"},
	145: {Permanent, "the message class is not supported"},
	159: {Permanent, "the coding is not supported"},
	160: {Permanent, "the command cannot be acted on"},
	161: {Permanent, "the command is not supported"},
	175: {Permanent, "the command is not known"},
	176: {Permanent, "the message is not supported"},
	192: {Temporary, "the SMSC is busy"},
	193: {Permanent, "the SMSC has no subscription for us"},
	194: {Temporary, "the SMSC failed"},
	195: {Permanent, "the SMSC does not know the destination"},
	196: {Permanent, "the destination is barred"},
	197: {Permanent, "the SMSC rejects a duplicate"},
	198: {Permanent, "the SMSC does not take this validity"},
	199: {Permanent, "the SMSC does not take a validity"},
	208: {SIM, "the SIM's memory for messages is full"},
	209: {SIM, "the SIM cannot store messages"},
	210: {Temporary, "the modem is in an error state"},
	211: {SIM, "the memory for messages is full"},
	212: {Temporary, "the SIM toolkit is busy"},
	300: {SIM, "the modem failed"},
	301: {Temporary, "the modem reserves its message service"},
	302: {SIM, "the modem does not allow it"},
	303: {Permanent, "the modem does not support it"},
	304: {Permanent, "the modem calls the TPDU invalid"},
	305: {Permanent, "the modem calls a parameter invalid"},
	310: {SIM, "no SIM"},
	311: {SIM, "the SIM needs its PIN"},
	312: {SIM, "the phone lock needs its PIN"},
	313: {SIM, "the SIM failed"},
	314: {Temporary, "the SIM is busy"},
	315: {SIM, "wrong SIM"},
	316: {SIM, "the SIM needs its PUK"},
	317: {SIM, "the SIM needs its PIN2"},
	318: {SIM, "the SIM needs its PUK2"},
	320: {SIM, "memory failure"},
	321: {Permanent, "no such place in the memory"},
	322: {SIM, "the memory for messages is full"},
	330: {Setup, "the SMSC's address is not known"},
	331: {Temporary, "no network"},
	332: {Doubt, "the network did not answer in time"},
	340: {Permanent, "no acknowledgement was expected"},
	500: {Doubt, "the modem does not know what happened"},
}

// cme are the codes of +CME ERROR (TS 27.007 §9.2).
var cme = map[int]code{
	0:   {Temporary, "the modem failed"},
	1:   {Temporary, "no connection to the phone"},
	3:   {Temporary, "not allowed now"},
	4:   {Permanent, "not supported"},
	5:   {SIM, "the phone lock needs its PIN"},
	10:  {SIM, "no SIM"},
	11:  {SIM, "the SIM needs its PIN"},
	12:  {SIM, "the SIM needs its PUK"},
	13:  {SIM, "the SIM failed"},
	14:  {Temporary, "the SIM is busy"},
	15:  {SIM, "wrong SIM"},
	16:  {SIM, "wrong PIN"},
	17:  {SIM, "the SIM needs its PIN2"},
	18:  {SIM, "the SIM needs its PUK2"},
	20:  {SIM, "memory full"},
	21:  {Permanent, "no such place in the memory"},
	22:  {Permanent, "not found"},
	23:  {SIM, "memory failure"},
	24:  {Permanent, "the text is too long"},
	25:  {Permanent, "invalid characters in the text"},
	26:  {Permanent, "the number is too long"},
	27:  {Permanent, "invalid characters in the number"},
	30:  {Temporary, "no network"},
	31:  {Doubt, "the network did not answer in time"},
	32:  {Temporary, "emergency calls only"},
	50:  {Permanent, "wrong parameters"},
	100: {Doubt, "the modem does not know what happened"},
}

// kinds is what a class means for a command. What Doubt means for a message, Submit
// decides: it knows whether the modem had it.
var kinds = [...]gateway.Kind{
	Permanent: gateway.KindRefused,
	Temporary: gateway.KindUnavailable,
	SIM:       gateway.KindUnavailable,
	Setup:     gateway.KindUnavailable,
	Doubt:     gateway.KindUnavailable,
}

// congestion are the codes that mean too much rather than not now.
var congestion = map[int]bool{42: true, 47: true, 192: true}

// Refusal is what a modem answered instead of OK.
type Refusal struct {
	Reason *gateway.Error // with the kind, and the raw code such as "CMS 38"
	Class  Class
	Number int // of +CMS ERROR or +CME ERROR; -1 for ERROR alone
}

// Error gives the reason in words.
func (r *Refusal) Error() string { return r.Reason.Error() }

// Unwrap gives the reason, so that gateway.KindOf finds its kind.
func (r *Refusal) Unwrap() error { return r.Reason }

// refusal turns an error answer, as the library gives it, into a *Refusal. Other
// errors pass: they are no answers. Codes of 512 and above belong to the makers: some
// are given before the radio was used, some after the network fell silent, and one number
// means both on two modems. They say nothing, and neither does ERROR alone.
func refusal(err error) error {
	switch e := err.(type) {
	case at.CMSError:
		return lookUp("CMS", string(e), cms)
	case at.CMEError:
		return lookUp("CME", string(e), cme)
	}
	if err == at.ErrError {
		return &Refusal{
			Reason: &gateway.Error{Kind: gateway.KindUnavailable, Text: "the modem answered ERROR", Code: "ERROR"},
			Class:  Doubt,
			Number: -1,
		}
	}
	return err
}

func lookUp(family, raw string, table map[int]code) error {
	n, err := strconv.Atoi(raw)
	if err != nil {
		n = -1
	}
	c, ok := table[n]
	if !ok {
		c = code{Doubt, "the modem gave a code of its maker"}
	}
	kind := kinds[c.class]
	if family == "CMS" && congestion[n] {
		kind = gateway.KindThrottled
	}
	return &Refusal{
		Reason: &gateway.Error{Kind: kind, Text: c.text, Code: family + " " + printable(raw)},
		Class:  c.class,
		Number: n,
	}
}

// printable bounds what a modem says where a code should be.
func printable(s string) string {
	b := make([]byte, 0, 24)
	for i := 0; i < len(s) && len(b) < cap(b); i++ {
		if s[i] >= 0x20 && s[i] < 0x7F {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// RefusalOf gives the refusal in an error; nil when the modem refused nothing.
func RefusalOf(err error) *Refusal {
	var r *Refusal
	errors.As(err, &r)
	return r
}
