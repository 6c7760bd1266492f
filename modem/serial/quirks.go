package serial

import "strings"

// quirk is how the modems of one maker differ from TS 27.005 and TS 27.007.
type quirk struct {
	name   string
	makers []string // lower case, as part of the answer to +CGMI
	iccid  []string // commands that tell the ICCID, tried in order
	tries  []string // commands that tell how often a PIN may still be tried
	cnmi   []string // arguments of +CNMI, the first that the modem takes
	memory string   // where messages are to be kept; "" = SM
	cmms   bool     // +CMMS keeps the link open between segments
	packed bool     // +CUSD carries packed septets in hex, both ways
	cscs   string   // character set for +CUSD and +COPS: another program may have left UCS2; "" = as it is
	urcs   []string // unsolicited lines beside the ones that all know
	full   []string // which of them say that the memory is full
	boot   []string // which of them say that the modem has just started
	init   []string // more commands at the start; their refusal is no matter
	local  string   // argument of +CTZU with which alone +CCLK tells local time; "" = any does
}

// cnmiUsual keeps messages in the memory and hands reports over (TS 27.005 §3.4.1):
// mode 2 buffers lines while the port is busy, mt 1 stores, ds 1 gives +CDS.
var cnmiUsual = []string{"2,1,0,1,0", "1,1,0,1,0", "2,1,0,2,0", "1,1,0,2,0", "2,1,0,0,0", "1,1,0,0,0"}

// quirks is the table of makers. The last row fits every modem.
var quirks = []quirk{
	{
		name: "Huawei", makers: []string{"huawei"},
		iccid: []string{"^ICCID?", "+CCID?", "+ICCID"}, tries: []string{"^CPIN?", `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, packed: true, cscs: "IRA",
		full: []string{"^SMMEMFULL"}, boot: []string{"^SYSSTART"},
		init: []string{"^CURC=0"}, // its lines of signal and flow would come every few seconds
	}, {
		name: "ZTE", makers: []string{"zte"},
		iccid: []string{"+ZICCID?", "+CCID?", "+ICCID"}, tries: []string{"+ZPINPUK=?", `+CPINR="SIM PIN"`},
		// A ZTE that announces reports in mode 2 has been seen to keep them back for ever.
		cnmi: []string{"1,1,0,1,0", "2,1,0,1,0", "1,1,0,2,0", "1,1,0,0,0"}, cmms: true, cscs: "IRA",
	}, {
		name: "Quectel", makers: []string{"quectel"},
		iccid: []string{"+QCCID", "+ICCID", "+CCID"}, tries: []string{`+QPINC="SC"`, `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA", memory: "SM",
		boot:  []string{"RDY"}, // its full memory comes as +QIND, which is read by itself
		init:  []string{`+QINDCFG="smsfull",1,0`},
		local: "3", // with 1 it tells UTC, beside a zone that is not UTC's
	}, {
		name: "SIMCom", makers: []string{"simcom", "sim_com"},
		iccid: []string{"+CCID", "+ICCID", "+CICCID"}, tries: []string{"+SPIC", `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA",
		urcs: []string{"+SMS FULL"}, full: []string{"SMS FULL", "+SMS FULL"}, boot: []string{"RDY"},
	}, {
		name: "Telit", makers: []string{"telit"},
		iccid: []string{"#CCID", "+CCID", "+ICCID"}, tries: []string{"#PCT", `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA",
	}, {
		name: "Sierra", makers: []string{"sierra"},
		iccid: []string{"!ICCID?", "+ICCID", "+CCID"}, tries: []string{"+CPINC?", `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA",
	}, {
		name: "u-blox", makers: []string{"u-blox"},
		iccid: []string{"+CCID", "+ICCID"}, tries: []string{"+UPINCNT", `+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA",
		urcs: []string{"+UMWI"},
	}, {
		name: "Wavecom", makers: []string{"wavecom"},
		iccid: []string{"+CCID", "+CCID?"}, tries: []string{"+CPINC?"},
		cnmi: []string{"2,1,0,1,0", "2,1,0,1,1", "2,1,0,2,0", "2,1,0,0,0"}, cmms: true, cscs: "IRA",
	},
	{
		name: "generic", makers: []string{""},
		iccid: []string{"+CCID", "+ICCID", "^ICCID?", "+QCCID", "+CCID?", "+ZICCID?", "#CCID"}, tries: []string{`+CPINR="SIM PIN"`},
		cnmi: cnmiUsual, cmms: true, cscs: "IRA",
		boot: []string{"RDY"},
	},
}

// quirkOf gives the row for a maker, by the answer to +CGMI.
func quirkOf(maker string) *quirk {
	maker = strings.ToLower(maker)
	for i := range quirks {
		for _, m := range quirks[i].makers {
			if strings.Contains(maker, m) {
				return &quirks[i]
			}
		}
	}
	return &quirks[len(quirks)-1]
}

// allURCs are the unsolicited lines of every maker: the Link must know them before
// the maker is known.
func allURCs() []string {
	var names []string
	for _, q := range quirks {
		names = append(names, q.urcs...)
	}
	return names
}
