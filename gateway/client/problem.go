package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fieldpost/gateway"
)

// ProblemType is the media type of a Problem (RFC 9457 §3).
const ProblemType = "application/problem+json"

// Problem is what the server answers to a request that it does not carry out
// (RFC 9457). Code, not Type, tells the problems apart: Type is always
// "about:blank", so that Title is the status's phrase (RFC 9457 §4.2.1).
type Problem struct {
	Type   string         `json:"type" example:"about:blank"`
	Title  string         `json:"title" example:"Unprocessable Entity"`
	Status int            `json:"status" example:"422"`
	Detail string         `json:"detail" example:"no such campaign" doc:"What is wrong, and what would be right"`
	Code   string         `json:"code" enum:"invalid,unauthorized,forbidden,not_found,conflict,throttled,unavailable,refused,unknown_outcome,internal" example:"invalid"`
	Field  string         `json:"field,omitempty" example:"campaign" doc:"The field at fault"`
	Wire   string         `json:"wire_code,omitempty" example:"CMS 38" doc:"Raw code of a device or network"`
	Retry  int64          `json:"retry_after,omitempty" example:"2" doc:"Seconds to wait"`
	Errors []FieldProblem `json:"errors,omitempty" nullable:"false" doc:"Every field at fault, where there are several"`
}

// FieldProblem is one field at fault.
type FieldProblem struct {
	Field  string `json:"field" example:"priority"`
	Detail string `json:"detail" example:"expected number <= 65535"`
}

// StatusOf gives the HTTP status of a kind of error.
func StatusOf(k gateway.Kind) int {
	switch k {
	case gateway.KindNone:
		return http.StatusOK
	case gateway.KindInvalid:
		return http.StatusUnprocessableEntity
	case gateway.KindUnauthorized:
		return http.StatusUnauthorized
	case gateway.KindForbidden:
		return http.StatusForbidden
	case gateway.KindNotFound:
		return http.StatusNotFound
	case gateway.KindConflict:
		return http.StatusConflict
	case gateway.KindThrottled:
		return http.StatusTooManyRequests
	case gateway.KindUnavailable:
		return http.StatusServiceUnavailable
	case gateway.KindRefused:
		return http.StatusBadGateway
	case gateway.KindUnknownOutcome:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// KindOfStatus gives the kind that an HTTP status stands for where no problem
// document says it.
func KindOfStatus(status int) gateway.Kind {
	switch status {
	case http.StatusUnauthorized:
		return gateway.KindUnauthorized
	case http.StatusForbidden:
		return gateway.KindForbidden
	case http.StatusNotFound, http.StatusGone:
		return gateway.KindNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return gateway.KindConflict
	case http.StatusTooManyRequests:
		return gateway.KindThrottled
	case http.StatusServiceUnavailable:
		return gateway.KindUnavailable
	case http.StatusBadGateway:
		return gateway.KindRefused
	case http.StatusGatewayTimeout:
		return gateway.KindUnknownOutcome
	}
	if status >= 400 && status < 500 {
		return gateway.KindInvalid
	}
	return gateway.KindInternal
}

// maxProblem bounds the problem document that is read, in bytes.
const maxProblem = 64 << 10

// refusal reads why the server did not carry a request out.
func refusal(resp *http.Response) *gateway.Error {
	var p Problem
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if kind != ProblemType || err != nil || json.Unmarshal(body, &p) != nil {
		return &gateway.Error{
			Kind:  KindOfStatus(resp.StatusCode),
			Text:  fmt.Sprintf("the server answered %s", resp.Status),
			Retry: retryAfter(resp.Header),
		}
	}
	e := &gateway.Error{Field: p.Field, Text: p.Detail, Code: p.Wire, Retry: time.Duration(p.Retry) * time.Second}
	if k, ok := gateway.ParseKind(p.Code); ok && k != gateway.KindNone {
		e.Kind = k
	} else {
		e.Kind = KindOfStatus(resp.StatusCode)
	}
	if e.Retry == 0 {
		e.Retry = retryAfter(resp.Header)
	}
	if len(p.Errors) > 1 {
		e.Text = allFields(&p)
	}
	return e
}

// allFields tells the faults of the fields after the first one too.
func allFields(p *Problem) string {
	var b strings.Builder
	b.WriteString(p.Detail)
	for _, f := range p.Errors {
		if f.Field != p.Field {
			b.WriteString("; " + f.Field + ": " + f.Detail)
		}
	}
	return b.String()
}

// retryAfter reads Retry-After in its form of seconds (RFC 9110 §10.2.3).
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}
