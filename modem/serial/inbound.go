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

// The fill of the memory, in percent, at which a person hears of it.
const memoryAlarm = 80

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
		if head, ok := strings.CutPrefix(line, "+CMGR:"); ok && i+1 < len(info) && inHex(info[i+1]) {
			return r.store(ctx, p.index, stat(head, 0), info[i+1], length(head))
		}
	}
	return nil
}

// sweep stores everything that waits where messages are kept, and deletes what was
// stored.
func (r *run) sweep(ctx context.Context) error {
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
	for i := 0; i+1 < len(info); i++ {
		head, ok := strings.CutPrefix(info[i], "+CMGL:")
		if !ok {
			continue
		}
		index, ok := at.FirstInt(head)
		if !ok || !inHex(info[i+1]) { // its line was lost or torn on the way: it is still in the modem
			continue
		}
		if err := r.store(ctx, index, stat(head, 1), info[i+1], length(head)); err != nil {
			return err
		}
		i++
	}
	return nil
}

// inHex says that a line can be a TPDU. Whatever else comes in its place, the message is
// not deleted for it.
func inHex(line string) bool {
	b, err := hex.DecodeString(line)
	return err == nil && len(b) > 0
}

// store puts one message on disk and deletes it from the modem. What the host cannot
// store stays for the next sweep. Messages to be sent are not ours to delete.
func (r *run) store(ctx context.Context, index, stat int, pdu string, length int) error {
	if stat >= stoUnsent {
		return nil
	}
	if !r.stuck[pdu] {
		if err := r.take(ctx, pdu, length); err != nil {
			r.log.Error("inbound message stays in the modem: it cannot be stored", slog.Any("error", err))
			time.AfterFunc(r.o.Every.Retry, func() { r.nudge(func(c *chores) { c.sweep = true }) })
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

// choose makes a memory the one for reading, sending and receiving (TS 27.005 §3.2.2).
func (r *run) choose(ctx context.Context, memory string) error {
	for _, args := range []string{`"%[1]s","%[1]s","%[1]s"`, `"%[1]s","%[1]s"`, `"%[1]s"`} {
		_, err := r.s.Command(ctx, "+CPMS="+fmt.Sprintf(args, memory))
		if err == nil {
			r.home, r.memory = memory, memory
			return nil
		}
		if at.RefusalOf(err) == nil {
			return err
		}
	}
	return nil
}

// read makes a memory the one for reading alone (<mem1>): what arrives meanwhile is kept
// where it always is.
func (r *run) read(ctx context.Context, memory string) error {
	if memory == r.memory || memory == "" {
		return nil
	}
	_, err := r.s.Command(ctx, `+CPMS="`+memory+`"`)
	if err == nil {
		r.memory = memory
	}
	return optional(err)
}

// fill looks how full the memory is: +CPMS: "SM",3,20,...
func (r *run) fill(ctx context.Context) error {
	lines, err := r.s.Query(ctx, "+CPMS?", "+CPMS")
	if err != nil || len(lines) == 0 {
		return optional(err)
	}
	f := strings.Split(lines[0], ",")
	if len(f) < 3 {
		return nil
	}
	used, _ := at.FirstInt(f[1])
	total, _ := at.FirstInt(f[2])
	full := total > 0 && used*100 >= total*memoryAlarm
	if full && !r.full {
		r.log.Warn("the memory for messages fills up", slog.String("memory", strings.Trim(f[0], `" `)), slog.Int("used", used), slog.Int("total", total))
		r.nudge(func(c *chores) { c.sweep = true })
	}
	r.full = full
	return nil
}

// optional forgives a command that the modem refuses, or does not answer while it
// answers others. What is left says that the modem is lost or silent.
func optional(err error) error {
	if at.RefusalOf(err) != nil || errors.Is(err, at.ErrNoAnswer) && !errors.Is(err, at.ErrSilent) {
		return nil
	}
	return err
}
