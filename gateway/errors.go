package gateway

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of an error: a closed list. The same word is the problem
// code of the REST API, the label of a metric and the key of the retry table.
type Kind uint8

// The kinds. KindNone is the kind of no error at all.
const (
	KindNone           Kind = iota
	KindInvalid             // the input can never work; a field says what is wrong
	KindUnauthorized        // who are you?
	KindForbidden           // known, but not allowed
	KindNotFound            // no such thing, or not yours to see
	KindConflict            // it contradicts what is there
	KindThrottled           // too much, too fast: later
	KindUnavailable         // not now: a device, a disk or a peer is away; nothing was sent
	KindRefused             // the network or device said no, for good
	KindUnknownOutcome      // it may have happened: never fold this into a failure
	KindInternal            // a fault of ours
)

var kindNames = [...]string{
	"none", "invalid", "unauthorized", "forbidden", "not_found", "conflict",
	"throttled", "unavailable", "refused", "unknown_outcome", "internal",
}

// Kinds lists every kind of error, in order, without KindNone.
func Kinds() []Kind {
	ks := make([]Kind, 0, len(kindNames)-1)
	for k := KindInvalid; int(k) < len(kindNames); k++ {
		ks = append(ks, k)
	}
	return ks
}

// String gives the kind's word.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// ParseKind reads a kind's word; an unknown word is KindInternal and false.
func ParseKind(s string) (Kind, bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return KindInternal, false
}

// Error is an error that a caller may act on: its kind says what to do, its
// field what to mend, its text why. The text is written for a person and holds
// no secret.
type Error struct {
	Kind  Kind
	Field string        // the field, key, line or column at fault; "" when none is
	Text  string        // a lower case phrase: what is wrong, and what would be right
	Code  string        // the raw code of a wire, such as "CMS 38"; "" when there is none
	Retry time.Duration // for KindThrottled and KindUnavailable: not before; 0 = no idea
	Err   error         // the cause, never shown outside
}

// Error gives the text with its field and code.
func (e *Error) Error() string {
	s := e.Text
	if s == "" {
		s = e.Kind.String()
	}
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind; %w keeps the cause.
func Errorf(k Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Text: err.Error(), Err: errors.Unwrap(err)}
}

// Invalid says that a field's value can never work, and why.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Field: field, Text: fmt.Sprintf(format, args...)}
}

// KindOf gives the kind of an error: KindNone for nil, KindInternal for an
// error that does not say.
func KindOf(err error) Kind {
	if err == nil {
		return KindNone
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}
