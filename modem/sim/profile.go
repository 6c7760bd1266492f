package sim

// Vendor says whose modem is played: identity, dialect and habits.
type Vendor string

// The vendors.
const (
	Generic Vendor = "generic" // a plain TS 27.005 modem
	Huawei  Vendor = "huawei"  // a USB stick of the E173 kind
	Quectel Vendor = "quectel" // an LTE module of the EC25 kind
	SIMCom  Vendor = "simcom"  // a GSM module of the SIM800 kind
)

// Vendors lists them.
func Vendors() []Vendor { return []Vendor{Generic, Huawei, Quectel, SIMCom} }

// profile is how a vendor's modems differ.
type profile struct {
	manufacturer string
	model        string
	revision     string
	gcap         string
	ati          []string // lines of ATI; %i stands for the IMEI
	ccid         string   // the command that tells the ICCID
	ccidAlso     string   // another one
	ccidPrefix   string   // before the ICCID in the answer
	tries        string   // the command that tells the tries left for PIN and PUK
	full         string   // URC when the memory is full; %m stands for its name
	boot         []string // URCs after power-up
	ready        []string // URCs when SIM and network are there
	unknown      string   // the answer to an unknown command instead of ERROR
	emptySlotOK  bool     // AT+CMGR of an empty slot answers OK instead of +CMS ERROR: 321
	cnmi         [5]int   // +CNMI after power-up
	packedUSSD   bool     // +CUSD takes and gives packed septets in hex
	lte          bool     // has +CEREG
}

func profileOf(v Vendor) profile {
	switch v {
	case Huawei:
		return profile{
			manufacturer: "huawei", model: "E173", revision: "11.126.85.00.209", gcap: "+CGSM,+DS,+ES",
			ati: []string{"Manufacturer: huawei", "Model: E173", "Revision: 11.126.85.00.209", "IMEI: %i",
				"+GCAP: +CGSM,+DS,+ES"},
			ccid: "^ICCID", ccidPrefix: "^ICCID: ", tries: "^CPIN", full: `^SMMEMFULL: "%m"`,
			boot: []string{"^BOOT:44217765,0,0,0,75"}, ready: []string{"^SIMST:1", "^SRVST:2", "^RSSI:18"},
			unknown: "COMMAND NOT SUPPORT", packedUSSD: true, cnmi: [5]int{0, 1, 0, 0, 0},
		}
	case Quectel:
		return profile{
			manufacturer: "Quectel", model: "EC25", revision: "EC25EUGAR06A05M4G", gcap: "+CGSM",
			ati:  []string{"Quectel", "EC25", "Revision: EC25EUGAR06A05M4G"},
			ccid: "+QCCID", ccidAlso: "+ICCID", ccidPrefix: "+QCCID: ", tries: "+QPINC", full: `+QIND: "smsfull","%m"`,
			boot: []string{"RDY"}, ready: []string{"+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"},
			emptySlotOK: true, cnmi: [5]int{2, 1, 0, 0, 0}, lte: true,
		}
	case SIMCom:
		return profile{
			manufacturer: "SIMCOM_Ltd", model: "SIMCOM_SIM800L", revision: "Revision:1418B05SIM800L24", gcap: "+CGSM",
			ati:  []string{"SIM800 R14.18"},
			ccid: "+CCID", ccidPrefix: "", tries: "+SPIC", full: `+SMS FULL`,
			boot: []string{"RDY", "+CFUN: 1"}, ready: []string{"+CPIN: READY", "Call Ready", "SMS Ready"},
			emptySlotOK: true, cnmi: [5]int{2, 1, 0, 0, 0},
		}
	}
	return profile{
		manufacturer: "Generic", model: "GSM modem", revision: "1.0", gcap: "+CGSM", ati: []string{"Generic GSM modem"},
		ccid: "+CCID", ccidPrefix: "+CCID: ", tries: "+CPINR",
	}
}
