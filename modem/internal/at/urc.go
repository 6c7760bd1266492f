package at

import (
	"bytes"
	"strings"
)

// URC is one unsolicited result code: a line that no command asked for, with the
// PDU or the rest of a text that belongs to it.
type URC struct {
	Name string // up to the colon: "+CMTI"; the whole line where there is none
	Args string // behind the colon, without blanks around it; lines of a text are joined with \n
	PDU  string // of +CMT, +CDS and +CBM, in hex; "" when it got lost on the way
}

// Restarted is the Name of a URC that no modem sends: the Link says by it that the
// modem has started again without telling.
const Restarted = "(restarted)"

// shape says how an unsolicited line goes on.
type shape uint8

const (
	single  shape = iota // the line is all
	withPDU              // a line of hex follows (TS 27.005 §3.4.1)
	quoted               // a text in quotes may go on over several lines (TS 27.007 §7.15)
	status               // also the answer to its own read command (TS 27.007 §7.2)
	final                // ends the command in flight, though the library does not know it
)

// known are the unsolicited lines of the standards and of the makers, by name.
// One whose name is the command in flight is that command's answer, except for
// withPDU and quoted. A table of quirks adds more.
var known = map[string]shape{
	"+CMTI": single, "+CDSI": single, "+CBMI": single,
	"+CMT": withPDU, "+CDS": withPDU, "+CBM": withPDU,
	"+CUSD": quoted,
	"+CREG": status, "+CGREG": status, "+CEREG": status, "+C5GREG": status,
	"RING": single, "+CRING": single, "+CLIP": single, "+CCWA": single, "+CSSI": single, "+CSSU": single,
	"NO CARRIER": single, "BUSY": single, "NO ANSWER": single,
	"+CIEV": single, "+CTZV": single, "+CTZE": single, "+CTZDST": single, "+CGEV": single, "+CPIN": single, "+CFUN": single,
	// Huawei
	"^RSSI": single, "^HCSQ": single, "^MODE": single, "^BOOT": single, "^SIMST": single, "^SRVST": single, "^RFSWITCH": single,
	"^SMMEMFULL": single, "^STIN": single, "^SYSSTART": single, "^DSFLOWRPT": single, "^NWTIME": single, "^CEND": single, "^CONN": single,
	"^ORIG": single, "^CONF": single, "^NDISSTAT": single, "^HWNAT": single, "^LTERSRP": single, "^ANLEVEL": single, "^EARST": single,
	// ZTE
	"+ZUSIMR": single, "+ZMMI": single, "+ZDONR": single, "+ZPASR": single, "+ZPSTM": single, "+ZEND": single, "+ZUSSD": single, "+ZICCID": single,
	"+ZCPI": single,
	// Quectel
	"+QIND": single, "+QUSIM": single, "+QSIMSTAT": single, "+QSTK": single, "RDY": single, "POWERED DOWN": single, "+QNTP": single, "+QIURC": single,
	"NORMAL POWER DOWN": single, "UNDER_VOLTAGE POWER DOWN": single, "UNDER_VOLTAGE WARNING": single,
	// SIMCom
	"Call Ready": single, "SMS Ready": single, "SMS DONE": single, "PB DONE": single, "*PSUTTZ": single, "DST": single, "*PSNWID": single,
	"UNDER-VOLTAGE WARNNING": single, "SMS FULL": single, "+SIMCARD": single,
	// Telit, Sierra and Wavecom, u-blox
	"#STN": single, "#QSS": single, "#PSMRI": single, "*EMRDY": single, "+WIND": single, "+UUSIMSTAT": single, "+UUPSDA": single, "+UUSTS": single,
	"+PACSP": single, "+PACSP0": single, "+PACSP1": single, "#MWI": single,
	// These end a command on the modems that send them; the library waits on.
	"COMMAND NOT SUPPORT": final, "TOO MANY PARAMETERS": final,
}

// name gives the part of a line that names it.
func name(line []byte) []byte {
	if i := bytes.IndexByte(line, ':'); i > 0 {
		return line[:i]
	}
	return line
}

// args gives what is behind the name.
func args(line []byte) []byte {
	if i := bytes.IndexByte(line, ':'); i > 0 {
		return bytes.TrimSpace(line[i+1:])
	}
	return nil
}

// isFinal says that a line ends a command (TS 27.007 §9, TS 27.005 §3.2.5, V.250 §5.7.1).
func isFinal(line []byte) bool {
	switch line[0] {
	case 'O':
		return string(line) == "OK"
	case 'E':
		return bytes.HasPrefix(line, []byte("ERROR"))
	case '+':
		return bytes.HasPrefix(line, []byte("+CMS ERROR:")) || bytes.HasPrefix(line, []byte("+CME ERROR:"))
	}
	return false
}

// outcome says that a line is the answer to a message that was handed over, whatever
// text it may seem to be a part of.
func outcome(line []byte) bool {
	return bytes.HasPrefix(line, []byte("+CMGS:")) || bytes.HasPrefix(line, []byte("+CMS ERROR:"))
}

// isStatusAnswer tells the answer of AT+CREG? from the unsolicited line. The answer
// begins <n>,<stat>; the other <stat>[,<lac>...], where the area code is quoted or,
// on old modems, at least two digits long (TS 27.007 §7.2).
func isStatusAnswer(args []byte) bool {
	i := bytes.IndexByte(args, ',')
	if i != 1 {
		return false
	}
	second := args[i+1:]
	if j := bytes.IndexByte(second, ','); j >= 0 {
		second = second[:j]
	}
	second = bytes.TrimSpace(second)
	return len(second) == 1 && second[0] >= '0' && second[0] <= '9'
}

// closed says that a text that began with a quote has ended: with a quote, or with
// a quote and the coding behind it.
func closed(text []byte) bool {
	i := bytes.IndexByte(text, '"')
	if i < 0 {
		return true
	}
	rest := text[i+1:]
	j := bytes.LastIndexByte(rest, '"')
	if j < 0 {
		return false
	}
	tail := strings.TrimSpace(string(rest[j+1:]))
	if tail == "" {
		return true
	}
	if tail[0] != ',' {
		return false
	}
	for _, c := range strings.TrimSpace(tail[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
