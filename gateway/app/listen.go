package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

// maxConns bounds open connections: select in the serial library cannot go past
// descriptor 1023 (S1), and the spool and 32 ports need theirs first.
const maxConns = 512

// bind listens on every address, or on none.
func bind(ctx context.Context, addresses []string) ([]net.Listener, error) {
	var all []net.Listener
	for _, at := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", at, err), closeAll(all))
		}
		all = append(all, netutil.LimitListener(l, maxConns/len(addresses)))
	}
	return all, nil
}

func closeAll(all []net.Listener) error {
	var errs []error
	for _, l := range all {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// serve answers on every listener until ctx ends.
func serve(ctx context.Context, server *http.Server, all []net.Listener) error {
	ended := make(chan error, len(all))
	for _, l := range all {
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}
