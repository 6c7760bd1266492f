package sim

import "strconv"

// verdict is how a command line ends.
type verdict struct {
	kind int
	code int
	text string
}

// The kinds of verdict.
const (
	isOK     = iota
	isError  // ERROR
	isCME    // +CME ERROR (TS 27.007 §9.2)
	isCMS    // +CMS ERROR (TS 27.005 §3.2.5)
	isPrompt // a message is awaited
	isSilent // no result
	isText   // a result of the vendor's own
)

func ok() verdict               { return verdict{} }
func plainError() verdict       { return verdict{kind: isError} }
func cmeError(code int) verdict { return verdict{kind: isCME, code: code} }
func cmsError(code int) verdict { return verdict{kind: isCMS, code: code} }

// The <err> of +CME ERROR that are used here (TS 27.007 §9.2.1).
const (
	cmeNotAllowed   = 3
	cmeNotSupported = 4
	cmeNoSIM        = 10
	cmePIN          = 11
	cmePUK          = 12
	cmeSIMFailure   = 13
	cmeWrongPIN     = 16
	cmeBadIndex     = 21
	cmeNoNetwork    = 30
	cmeBadParameter = 50
)

// info adds a line of information text to the answer (V.250 §5.7.1).
func (m *Modem) info(line string) {
	if m.set.verbose {
		m.out = append(m.out, '\r', '\n')
	}
	m.out = append(append(m.out, line...), '\r', '\n')
}

// finish adds the result code to the answer (V.250 §5.7.1, §6.2.5, §6.2.6).
func (m *Modem) finish(v verdict) {
	if m.set.quiet || v.kind == isPrompt || v.kind == isSilent {
		return
	}
	if !m.set.verbose && (v.kind == isOK || v.kind == isError || m.set.cmee == 0 && v.kind == isCME) {
		n := "0\r"
		if v.kind != isOK {
			n = "4\r"
		}
		m.out = append(m.out, n...)
		return
	}
	m.out = append(m.out, '\r', '\n')
	m.out = append(m.out, m.resultText(v)...)
	m.out = append(m.out, '\r', '\n')
}

func (m *Modem) resultText(v verdict) string {
	switch v.kind {
	case isOK:
		return "OK"
	case isText:
		return v.text
	case isCME:
		switch m.set.cmee {
		case 1:
			return "+CME ERROR: " + strconv.Itoa(v.code)
		case 2:
			return "+CME ERROR: " + cmeText(v.code)
		}
	case isCMS:
		if m.set.cmee == 2 {
			return "+CMS ERROR: " + cmsText(v.code)
		}
		return "+CMS ERROR: " + strconv.Itoa(v.code)
	}
	return "ERROR"
}

// cmeText gives the words of TS 27.007 §9.2.1.
func cmeText(code int) string {
	switch code {
	case cmeNotAllowed:
		return "operation not allowed"
	case cmeNotSupported:
		return "operation not supported"
	case cmeNoSIM:
		return "SIM not inserted"
	case cmePIN:
		return "SIM PIN required"
	case cmePUK:
		return "SIM PUK required"
	case cmeSIMFailure:
		return "SIM failure"
	case cmeWrongPIN:
		return "incorrect password"
	case cmeBadIndex:
		return "invalid index"
	case cmeNoNetwork:
		return "no network service"
	case cmeBadParameter:
		return "Incorrect parameters"
	}
	return "unknown"
}

// cmsText gives the words of TS 27.005 §3.2.5, or the number where a modem has none.
func cmsText(code int) string {
	switch code {
	case 38:
		return "Network out of order"
	case 304:
		return "Invalid PDU mode parameter"
	case 305:
		return "Invalid text mode parameter"
	case 310:
		return "SIM not inserted"
	case 311:
		return "SIM PIN required"
	case 313:
		return "SIM failure"
	case 316:
		return "SIM PUK required"
	case 321:
		return "Invalid memory index"
	case 322:
		return "Memory full"
	case 330:
		return "SMSC address unknown"
	case 331:
		return "No network service"
	}
	return strconv.Itoa(code)
}
