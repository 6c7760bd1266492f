package dinstar

import (
	"encoding/json"
	"time"

	"fieldpost/gateway"
)

// maxBody bounds an answer, in bytes. The largest ones are lists of results.
const maxBody = 1 << 20

// answer is what any request may be answered with.
type answer struct {
	Code    num           `json:"error_code"`
	SN      text          `json:"sn"` // not on firmware of 2017 (T11)
	TaskID  num           `json:"task_id"`
	Queued  num           `json:"sms_in_queue"` // with the answer to send_sms
	InQueue num           `json:"in_queue"`
	Results list[result]  `json:"result"`
	Colon   list[result]  `json:"result:"` // so on firmware of 2017 (T10)
	SMS     list[message] `json:"sms"`
	Replies list[reply]   `json:"reply"`
	Info    list[info]    `json:"info"`
	Calls   list[call]    `json:"cdr"`

	Performance *performance `json:"performance"` // and then no code

	size int           // bytes
	took time.Duration // of the gateway, without the wait for its turn
}

// result is a row of query_sms_result, query_sms_deliver_status or send_ussd.
type result struct {
	Port       num  `json:"port"`
	UserID     num  `json:"user_id"`
	Number     text `json:"number"`
	Time       text `json:"time"` // the gateway's clock
	Status     text `json:"status"`
	Count      num  `json:"count"`      // segments
	Succeeded  num  `json:"succ_count"` // segments that the network took
	Ref        num  `json:"ref_id"`     // TP-MR of the first segment
	StatusCode num  `json:"status_code"`
	IMSI       text `json:"imsi"`
}

// message is a row of query_incoming_sms.
type message struct {
	ID     num  `json:"incoming_sms_id"`
	Port   num  `json:"port"`
	Number text `json:"number"`
	SMSC   text `json:"smsc"`
	Time   text `json:"timestamp"`
	Text   text `json:"text"`
	IMSI   text `json:"imsi"`
}

// reply is a row of query_ussd_reply.
type reply struct {
	Port num  `json:"port"`
	Text text `json:"text"`
}

// info is a row of get_port_info.
type info struct {
	Port     num  `json:"port"`
	Type     text `json:"type"`
	IMEI     text `json:"imei"`
	IMSI     text `json:"imsi"`
	ICCID    text `json:"iccid"`
	Number   text `json:"number"`
	Reg      text `json:"reg"`
	Signal   num  `json:"signal"`
	Operator text `json:"operator"`
}

// parse reads an answer. What is no JSON object with a code says nothing.
func parse(body []byte) (answer, error) {
	a := answer{size: len(body)}
	if err := json.Unmarshal(body, &a); err != nil {
		return answer{}, &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: "the gateway's answer is no JSON", Err: err}
	}
	if a.Performance != nil && !a.Code.ok {
		a.Code = num{codeOK, true}
	}
	if !a.Code.ok {
		return answer{}, &gateway.Error{Kind: gateway.KindUnknownOutcome, Text: "the gateway's answer has no error_code"}
	}
	if a.Results == nil {
		a.Results = a.Colon
	}
	return a, nil
}

// stampForms are the ways in which gateways write a time.
func stampForms() []string {
	return []string{"2006-01-02 15:04:05", "2006/01/02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04"}
}

// stamp reads a time of the gateway's clock.
func stamp(s text, zone *time.Location) (time.Time, bool) {
	for _, form := range stampForms() {
		if t, err := time.ParseInLocation(form, s.word(), zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
