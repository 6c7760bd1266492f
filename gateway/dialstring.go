package gateway

import (
	"strconv"
	"strings"
)

const dialStringForms = "write one port (3), a range (0.3, 0-3 or 0..3) or a list (0,1,2,3)"

// ParseDialString reads the ports that a dialer sends on, in the order of its
// ring: one port "3", a range "0.3", "0-3" or "0..3", or a list "0,1,2,3", with
// parentheses around it or not. Ports are 0 to MaxPort and each is named once. The
// error is of kind invalid, its field is "dial_string".
func ParseDialString(s string) ([]int, error) {
	body, err := unwrap(strings.TrimSpace(s))
	if err != nil {
		return nil, err
	}
	switch {
	case body == "":
		return nil, dialFault("is empty: %s", dialStringForms)
	case strings.Contains(body, ","):
		return parsePortList(body)
	}
	for _, sep := range []string{"..", ".", "-"} {
		if first, last, ok := strings.Cut(body, sep); ok {
			return parsePortRange(body, first, last)
		}
	}
	port, err := parsePort(body)
	if err != nil {
		return nil, err
	}
	return []int{port}, nil
}

// unwrap takes one pair of parentheses away.
func unwrap(s string) (string, error) {
	inner, opened := strings.CutPrefix(s, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if opened != closed || strings.ContainsAny(inner, "()") {
		return "", dialFault("has a parenthesis without its other half")
	}
	return strings.TrimSpace(inner), nil
}

func parsePortRange(body, first, last string) ([]int, error) {
	if strings.ContainsAny(last, ".-") {
		return nil, dialFault("has more than one range in %s: %s", quoteShort(body), dialStringForms)
	}
	from, err := parsePort(first)
	if err != nil {
		return nil, err
	}
	to, err := parsePort(last)
	if err != nil {
		return nil, err
	}
	if from > to {
		return nil, dialFault("has a range that runs backwards: %d comes after %d", from, to)
	}
	ports := make([]int, 0, to-from+1)
	for p := from; p <= to; p++ {
		ports = append(ports, p)
	}
	return ports, nil
}

func parsePortList(body string) ([]int, error) {
	var (
		ports []int
		seen  [MaxPort + 1]bool
	)
	for item := range strings.SplitSeq(body, ",") {
		p, err := parsePort(item)
		if err != nil {
			return nil, err
		}
		if seen[p] {
			return nil, dialFault("names port %d twice", p)
		}
		seen[p] = true
		ports = append(ports, p)
	}
	return ports, nil
}

func parsePort(s string) (int, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, dialFault("lacks a port: %s", dialStringForms)
	}
	if !digits(s) {
		return 0, dialFault("has %s where a port should be: %s", quoteShort(s), dialStringForms)
	}
	p, err := strconv.Atoi(s)
	if err != nil || p > MaxPort {
		return 0, dialFault("names port %s; ports are 0 to %d", clip(s), MaxPort)
	}
	return p, nil
}

func dialFault(format string, args ...any) *Error {
	return Invalid("dial_string", format, args...)
}

// maxEcho is the most bytes of a caller's input that an error repeats.
const maxEcho = 40

func clip(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	return strings.ToValidUTF8(s[:maxEcho], "") + "..."
}

func quoteShort(s string) string { return strconv.Quote(clip(s)) }
