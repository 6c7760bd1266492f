package serial

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"fieldpost/modem"
	"fieldpost/modem/internal/at"
	"fieldpost/modem/internal/tpdu"
)

// part hands a message over in the words of the contract.
func (r *run) part(d tpdu.Deliver) modem.Part {
	c := r.channel()
	p := modem.Part{
		Port: c.Port, ICCID: c.ICCID, IMSI: c.IMSI, From: d.From, SMSC: d.SMSC, SentAt: d.SentAt,
		Text: d.Text, Septets: d.Septets, Octets: d.Octets,
		Ref: d.Ref, Wide: d.Wide, Total: d.Total, Seq: d.Seq, Raw: d.Raw, Undecoded: d.Undecoded,
	}
	switch d.Coding {
	case tpdu.UCS2:
		p.Coding = modem.CodingUCS2
	case tpdu.Binary:
		p.Coding = modem.Coding8Bit
	}
	return p
}

// fetch stores one message that was announced, and deletes it then.
func (r *run) fetch(ctx context.Context, p place) error {
	if p.memory != "" {
		if err := r.read(ctx, p.memory); err != nil {
			return err
		}
	}
	info, err := r.s.Command(ctx, fmt.Sprintf("+CMGR=%d", p.index))
	if err != nil {
		return optional(err) // deleted meanwhile, by the sweep or on another port
	}
	for i, line := range info {
		head, ok := strings.CutPrefix(line, "+CMGR:")
		if !ok {
			continue
		}
		if pdu := below(info, i); whole(pdu, length(head)) {
			return r.store(ctx, p.index, stat(head, 0), pdu, length(head))
		}
		r.sweepSoon() // torn on the way: it is still in the modem
	}
	return nil
}

// sweep stores everything that waits where messages are kept, deletes what was
// stored, and looks what is left.
func (r *run) sweep(ctx context.Context) error {
	if err := r.takeAll(ctx); err != nil {
		return err
	}
	return r.fill(ctx)
}

func (r *run) takeAll(ctx context.Context) error {
	if err := r.read(ctx, r.home); err != nil {
		return err
	}
	return r.list(ctx)
}

// list does so with the memory that is being read.
func (r *run) list(ctx context.Context) error {
	info, err := r.s.Command(ctx, "+CMGL=4") // TS 27.005 §4.1: all, in PDU mode
	if err != nil {
		return optional(err)
	}
	for i, line := range info {
		head, ok := strings.CutPrefix(line, "+CMGL:")
		if !ok {
			continue
		}
		index, ok := at.FirstInt(head)
		pdu := below(info, i)
		switch {
		case !ok:
			r.sweepSoon()
		case !whole(pdu, length(head)) && !r.believed(head, pdu):
			r.sweepSoon()
		default:
			if err := r.store(ctx, index, stat(head, 1), pdu, length(head)); err != nil {
				return err
			}
		}
	}
	return nil
}

// below gives the line behind a header: its TPDU, or nothing where that was lost.
func below(info []string, i int) string {
	if i+1 == len(info) || strings.HasPrefix(info[i+1], "+CMG") {
		return ""
	}
	return info[i+1]
}

// sweepSoon leaves another look at everything to the keeper, before long.
func (r *run) sweepSoon() {
	time.AfterFunc(r.o.Every.Retry, func() { r.nudge(func(c *chores) { c.sweep = true }) })
}

// whole says that a line can be the TPDU that its header announced. Whatever else comes
// in its place, the message is not deleted for it.
func whole(line string, length int) bool {
	b, err := hex.DecodeString(line)
	if err != nil || len(b) == 0 {
		return false
	}
	return length == 0 || len(b) == 1+int(b[0])+length || len(b) == length // some leave the SMSC out
}

// sameThrice is how often a place must read the same before it is believed to hold that,
// though it is no TPDU: noise on the line never reads the same.
const sameThrice = 3

// believed counts what a place holds that is no TPDU. It is kept raw and deleted in the
// end, or it would take up its place for ever. A line that is missing is the line's
// fault, unless the header itself announces nothing.
func (r *run) believed(head, pdu string) bool {
	if pdu == "" && length(head) > 0 {
		return false
	}
	if len(r.torn) >= maxStuck {
		clear(r.torn)
	}
	key := head + "\n" + pdu
	r.torn[key]++
	if r.torn[key] < sameThrice {
		return false
	}
	delete(r.torn, key)
	return true
}

// store puts one message on disk and deletes it from the modem. What the host cannot
// store stays for the next sweep. Messages to be sent are not ours to delete.
func (r *run) store(ctx context.Context, index, stat int, pdu string, length int) error {
	if stat >= stoUnsent {
		return nil
	}
	switch {
	case pdu == "": // nothing to keep
		r.log.Warn("the modem holds a message without content: it is deleted", slog.Int("index", index))
	case !r.stuck[pdu]:
		if err := r.decoded(pdu, length).store(ctx, r.host); err != nil {
			r.log.Error("inbound message stays in the modem: it cannot be stored", slog.Any("error", err))
			r.sweepSoon()
			return nil
		}
	}
	_, err := r.s.Command(ctx, fmt.Sprintf("+CMGD=%d", index))
	r.deleted(pdu, err)
	return optional(err)
}

// maxStuck bounds what is remembered: no SIM holds more messages.
const maxStuck = 255

// deleted notes a message that the modem does not delete: it is not stored again each
// time that it is seen.
func (r *run) deleted(pdu string, err error) {
	if err == nil {
		delete(r.stuck, pdu)
		return
	}
	if r.stuck[pdu] {
		return
	}
	r.log.Warn("inbound message is stored, but the modem does not delete it", slog.Any("error", err))
	if len(r.stuck) < maxStuck {
		r.stuck[pdu] = true
	}
}

// stoUnsent is the first <stat> of a message of our own (TS 27.005 §3.1).
const stoUnsent = 2

// stat reads the nth argument of a header.
func stat(head string, n int) int {
	fields := strings.SplitN(head, ",", n+2)
	if n >= len(fields) {
		return 0
	}
	v, _ := at.FirstInt(fields[n])
	return v
}

// length reads the last argument of a header: octets of the TPDU without the SMSC.
func length(head string) int {
	n, _ := at.FirstInt(head[strings.LastIndexByte(head, ',')+1:])
	return n
}

// optional forgives a command that the modem refuses, or does not answer while it
// answers others. What is left says that the modem is lost or silent.
func optional(err error) error {
	if at.RefusalOf(err) != nil || errors.Is(err, at.ErrNoAnswer) && !errors.Is(err, at.ErrSilent) {
		return nil
	}
	return err
}
