package spool

import "fmt"

// finalWords are the permanent TP-ST that the standard names (TS 23.040 §9.2.3.15).
func finalWords(st uint8) string {
	switch st {
	case 0x00:
		return "the handset has it"
	case 0x01:
		return "forwarded by the SMSC, which cannot confirm delivery"
	case 0x02:
		return "replaced by the SMSC"
	case 0x40:
		return "remote procedure error"
	case 0x41:
		return "the handset cannot take this kind of message"
	case 0x42:
		return "the handset refused the connection"
	case 0x43:
		return "the number cannot be obtained"
	case 0x44:
		return "the quality of service is not available"
	case 0x45:
		return "there is no interworking with that network"
	case 0x46:
		return "the validity period ended"
	case 0x47:
		return "deleted by its sender"
	case 0x48:
		return "deleted by the SMSC"
	case 0x49:
		return "the SMSC does not know the message"
	}
	return ""
}

// troubles are the reasons that 0x20-0x25 (the SMSC still tries) and 0x60-0x65 (it
// has given up) share.
func troubles(st uint8) string {
	switch st & 0x1F {
	case 0:
		return "congestion"
	case 1:
		return "the handset is busy"
	case 2:
		return "no answer from the handset"
	case 3:
		return "the service was rejected"
	case 4:
		return "the quality of service is not available"
	case 5:
		return "an error in the handset"
	}
	return ""
}

// reportWords says a TP-ST in words, with its value.
func reportWords(st uint8) string {
	words := finalWords(st)
	switch {
	case st >= 0x20 && st <= 0x3F:
		words = "the SMSC still tries"
		if why := troubles(st); why != "" {
			words += ": " + why
		}
	case st >= 0x60 && st <= 0x7F:
		words = "the SMSC has given up"
		if why := troubles(st); why != "" {
			words += ": " + why
		}
	case st >= 0x80:
		words = "a reserved status"
	case words == "" && st < 0x20:
		words = "done, by the SMSC's own meaning"
	case words == "":
		words = "a permanent error of the SMSC's own"
	}
	return fmt.Sprintf("%s (TP-ST 0x%02X)", words, st)
}
