package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"fieldpost/gateway"
	"fieldpost/spool"
)

const (
	// maxLoads is how many files are loaded at once: a small one does not wait for a
	// large one, and memory is bounded.
	maxLoads = 4

	// A disk that is full is asked again after these waits.
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// load is an accepted file that is not loaded yet.
type load struct {
	up   spool.Upload
	done chan struct{} // closed when it is loaded, or given up
}

// enqueue makes an accepted file wait for a goroutine of RunLoader.
func (in *Intake) enqueue(up spool.Upload) {
	l := &load{up: up, done: make(chan struct{})}
	in.mu.Lock()
	in.loads[up.ID] = l
	in.queue = append(in.queue, l)
	in.mu.Unlock()
	in.nudge()
}

func (in *Intake) nudge() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// dequeue takes the next load; nil = none waits.
func (in *Intake) dequeue() *load {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.queue) == 0 {
		return nil
	}
	l := in.queue[0]
	in.queue = in.queue[1:]
	return l
}

// RunLoader adds the rows of accepted files until ctx ends, which is no error: a
// load goes on at its place when RunLoader runs again. It returns an error only when
// the spool cannot keep the progress of a load. One call at a time.
func (in *Intake) RunLoader(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		running sync.WaitGroup
		places  = make(chan struct{}, maxLoads)
	)
	defer running.Wait()
	for {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return ended(ctx)
		}
		l := in.dequeue()
		for l == nil {
			select {
			case <-in.wake:
				l = in.dequeue()
			case <-ctx.Done():
				return ended(ctx)
			}
		}
		running.Go(func() {
			defer func() { <-places }()
			if err := in.run(ctx, l); err != nil {
				cancel(err)
			}
		})
	}
}

// ended gives the fault of a load that ended the others; nil when the caller did.
func ended(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// run loads one file to its end, or to the end of ctx.
func (in *Intake) run(ctx context.Context, l *load) error {
	for wait := in.retry; ; wait = min(2*wait, lastRetry) {
		err := in.once(ctx, l)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			in.mu.Lock()
			in.queue = append(in.queue, l) // for another RunLoader
			in.mu.Unlock()
			return nil
		case !passing(err):
			return err
		}
		in.log.Warn("a load waits", slog.String("upload", l.up.ID), slog.Duration("wait", wait), slog.Any("error", err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// once goes on with a load where it stands, and keeps how it ended. An error says
// that it has not ended.
func (in *Intake) once(ctx context.Context, l *load) (err error) {
	if l.up.Kind == kindBlacklist {
		err = in.loadBlacklist(ctx, l)
	} else {
		err = in.loadBase(ctx, l)
	}
	if err != nil && (ctx.Err() != nil || passing(err)) {
		return err
	}
	return in.finish(l, err)
}

// passing says that a fault may be gone later: the disk is full, the spool is busy.
func passing(err error) bool {
	k := gateway.KindOf(err)
	return k == gateway.KindUnavailable || k == gateway.KindThrottled
}

// finish keeps how a load ended.
func (in *Intake) finish(l *load, failed error) error {
	ctx := context.Background() // the end of a load is kept whoever waits for it
	up := l.up
	up.State, up.Finished = stateDone, in.o.Now().UTC()
	if failed != nil {
		up.State, up.Error = stateFailed, failed.Error()
		in.log.Error("a load failed", slog.String("upload", up.ID), slog.Any("error", failed))
	}
	if err := in.o.Store.PutUpload(ctx, up); err != nil {
		return err
	}
	if failed == nil {
		in.tidy(up.Path)
	}
	in.mu.Lock()
	if in.loads[up.ID] == l { // and not a later try of a load that failed
		delete(in.loads, up.ID)
	}
	in.mu.Unlock()
	close(l.done)
	return nil
}

// tidy removes a loaded file. One that stays is removed at the next start: no
// reason to stop.
func (in *Intake) tidy(path string) {
	if err := remove(path); err != nil {
		in.log.Warn("a loaded file stays", slog.Any("error", err))
	}
}
