package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"fieldpost/modem/sim"
)

// ledgerFile keeps what went on the simulated air in a file, a line of JSON an
// entry, so that a process that was killed can be judged afterwards. A line is
// written before the modem answers, and a killed process loses none: the kernel
// has it.
type ledgerFile struct {
	mu  sync.Mutex
	f   *os.File
	err error // the first that a write gave
}

// entryHead is how every line of a ledger begins.
const entryHead = `{"At":"`

// openLedger opens or makes a ledger and gives what it holds already. A last line
// that was cut short never was answered and is dropped. A file that is no ledger
// is left as it is.
func openLedger(path string) (*ledgerFile, []sim.Entry, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the ledger: %w", err)
	}
	entries, end, err := readLedger(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("read the ledger %s: %w", path, err)
	}
	return &ledgerFile{f: f}, entries, nil
}

// readLedger reads whole lines and tells where they end.
func readLedger(r io.Reader) (entries []sim.Entry, end int64, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		whole := err == nil
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, err
		}
		// What is cut short is the beginning of an entry too, or it is not ours to drop.
		if head := line[:min(len(line), len(entryHead))]; !strings.HasPrefix(entryHead, string(head)) {
			return nil, 0, fmt.Errorf("line %d is no entry of a ledger: name a new file", len(entries)+1)
		}
		if !whole {
			return entries, end, nil
		}
		var e sim.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
		end += int64(len(line))
	}
}

// write adds one entry. The first error is kept and told by close: a ledger with
// a hole judges nobody.
func (l *ledgerFile) write(e sim.Entry) {
	line, err := json.Marshal(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.err == nil {
		_, err = l.f.Write(append(line, '\n'))
	}
	l.err = errors.Join(l.err, err)
}

func (l *ledgerFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.f.Close())
}
