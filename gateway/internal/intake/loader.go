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
func (i *Intake) enqueue(up spool.Upload) {
	l := &load{up: up, done: make(chan struct{})}
	i.mu.Lock()
	i.loads[up.ID] = l
	i.queue = append(i.queue, l)
	i.mu.Unlock()
	i.nudge()
}

func (i *Intake) nudge() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// dequeue takes the next load; nil = none waits.
func (i *Intake) dequeue() *load {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.queue) == 0 {
		return nil
	}
	l := i.queue[0]
	i.queue = i.queue[1:]
	return l
}

// RunLoader adds the rows of accepted files until ctx ends, which is no error: a
// load goes on at its place when RunLoader runs again. It returns an error only when
// the spool cannot keep the progress of a load. One call at a time.
func (i *Intake) RunLoader(ctx context.Context) error {
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
		l := i.dequeue()
		for l == nil {
			select {
			case <-i.wake:
				l = i.dequeue()
			case <-ctx.Done():
				return ended(ctx)
			}
		}
		running.Go(func() {
			defer func() { <-places }()
			if err := i.run(ctx, l); err != nil {
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
func (i *Intake) run(ctx context.Context, l *load) error {
	for wait := i.retry; ; wait = min(2*wait, lastRetry) {
		err := i.once(ctx, l)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			i.mu.Lock()
			i.queue = append(i.queue, l) // for another RunLoader
			i.mu.Unlock()
			return nil
		case !passing(err):
			return err
		}
		i.log.Warn("a load waits", slog.String("upload", l.up.ID), slog.Duration("wait", wait), slog.Any("error", err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// once goes on with a load where it stands, and keeps how it ended. An error says
// that it has not ended.
func (i *Intake) once(ctx context.Context, l *load) (err error) {
	if l.up.Kind == kindBlacklist {
		err = i.loadBlacklist(ctx, l)
	} else {
		err = i.loadBase(ctx, l)
	}
	if err != nil && (ctx.Err() != nil || passing(err)) {
		return err
	}
	return i.finish(l, err)
}

// passing says that a fault may be gone later: the disk is full, the spool is busy.
func passing(err error) bool {
	k := gateway.KindOf(err)
	return k == gateway.KindUnavailable || k == gateway.KindThrottled
}

// finish keeps how a load ended.
func (i *Intake) finish(l *load, failed error) error {
	ctx := context.Background() // the end of a load is kept whoever waits for it
	up := l.up
	up.State, up.Finished = stateDone, i.o.Now().UTC()
	if failed != nil {
		up.State, up.Error = stateFailed, failed.Error()
		i.log.Error("a load failed", slog.String("upload", up.ID), slog.Any("error", failed))
	}
	if err := i.o.Store.PutUpload(ctx, up); err != nil {
		return err
	}
	if failed == nil {
		i.tidy(up.Path)
	}
	i.mu.Lock()
	if i.loads[up.ID] == l { // and not a later try of a load that failed
		delete(i.loads, up.ID)
	}
	i.mu.Unlock()
	close(l.done)
	return nil
}

// tidy removes a loaded file. One that stays is removed at the next start: no
// reason to stop.
func (i *Intake) tidy(path string) {
	if err := remove(path); err != nil {
		i.log.Warn("a loaded file stays", slog.Any("error", err))
	}
}
