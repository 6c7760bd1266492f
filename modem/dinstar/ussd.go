package dinstar

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"fieldpost/gateway"
)

// maxUSSD is the longest USSD request, in bytes.
const maxUSSD = 60

// ussdParts is how often the answer is looked for in the time that it may take.
const ussdParts = 60

// dial runs one USSD request.
func (s *site) dial(ctx context.Context, n int, code string) (string, error) {
	if code == "" || len(code) > maxUSSD {
		return "", gateway.Invalid("code", "must be 1 to %d characters such as *123#", maxUSSD)
	}
	answered, err := s.beginDial(n)
	if err != nil {
		return "", err
	}
	defer s.endDial(n)
	if _, err := s.heard(ctx, n); err != nil { // the answer to somebody else's request
		return "", err
	}
	if err := s.request(ctx, n, code); err != nil {
		return "", err
	}
	for deadline := time.Now().Add(s.o.Times.USSD); time.Now().Before(deadline); {
		if !s.awaitReply(ctx, answered) {
			break
		}
		// An answer that is lost is asked for again until the time is over.
		if text, err := s.heard(ctx, n); err == nil && text != "" {
			return text, nil
		}
	}
	return "", &gateway.Error{Kind: gateway.KindUnavailable, Text: "the network did not answer the request", Err: ctx.Err()}
}

// awaitReply waits until the answer is looked for again: at its time, or when the gateway
// pushes that it is there. false when ctx ended.
func (s *site) awaitReply(ctx context.Context, answered <-chan struct{}) bool {
	t := time.NewTimer(s.o.Times.USSD / ussdParts)
	defer t.Stop()
	select {
	case <-t.C:
	case <-answered:
	case <-ctx.Done():
		return false
	}
	return true
}

// beginDial takes a port for a request; answered gets a token when its answer is pushed.
func (s *site) beginDial(n int) (answered <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[n]
	switch {
	case p == nil:
		return nil, gateway.Invalid("port", "the gateway has no port %d", n)
	case p.seized != "":
		return nil, gateway.Errorf(gateway.KindConflict, "something is being done to this port: %s", p.seized)
	case p.dialing:
		return nil, gateway.Errorf(gateway.KindConflict, "another USSD request is on its way on this port")
	}
	p.dialing = true
	return p.ussd, nil
}

func (s *site) endDial(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports[n].dialing = false
}

// request hands the code to the port.
func (s *site) request(ctx context.Context, n int, code string) error {
	body := struct {
		Text    string `json:"text"`
		Ports   []int  `json:"port"`
		Command string `json:"command"`
	}{code, []int{n}, "send"}
	a, err := s.api.post(ctx, s.o.Times.Query, "send_ussd", body)
	if err != nil {
		return err
	}
	for _, x := range a.Results {
		if x.Port.n != int64(n) {
			continue
		}
		switch x.Status.word() {
		case "486":
			return &gateway.Error{Kind: gateway.KindConflict, Text: "the port is busy", Code: "USSD 486"}
		case "503":
			return &gateway.Error{Kind: gateway.KindUnavailable, Text: "the port is not registered", Code: "USSD 503"}
		}
	}
	return nil
}

// heard asks for the network's answer; "" while there is none.
func (s *site) heard(ctx context.Context, n int) (string, error) {
	a, err := s.api.get(ctx, "query_ussd_reply", url.Values{"port": {strconv.Itoa(n)}})
	if err != nil {
		return "", err
	}
	for _, r := range a.Replies {
		if r.Port.n == int64(n) || !r.Port.ok {
			return r.Text.word(), nil
		}
	}
	return "", nil
}
