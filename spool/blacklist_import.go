package spool

import (
	"context"
	"errors"
	"io"

	"fieldpost/gateway"
)

const (
	// smallImport is up to how many entries an import goes into the overlay, in
	// one commit. A larger one makes a new packed list.
	smallImport = 20_000
	// maxImportCampaigns bounds the different campaigns that one import names.
	maxImportCampaigns = 4096
	// progressEvery is how many entries lie between two calls of progress.
	progressEvery = 10_000
)

// ImportBlacklist lists what next gives, until it gives io.EOF. It adds: nothing
// is unlisted by it. All of it is listed in one commit, or nothing is; until then,
// and after any crash before then, the old list holds. progress, which may be nil,
// hears how many entries were read. n is that number in the end.
//
// Memory is bounded whatever the size: more than half a million entries are sorted in a
// temporary file beside the spool. A listing by hand or by a customer keeps its
// source; imported entries are kept packed, with neither source nor time. Another
// import waits until this one is done.
func (s *Spool) ImportBlacklist(ctx context.Context, next func() (Listed, error), progress func(n int)) (n int, err error) {
	return s.importBlacklist(ctx, next, progress, importSizes{small: smallImport, chunk: sortChunk})
}

// importSizes are where an import changes its ways: a test has small ones.
type importSizes struct {
	small int // entries that go into the overlay
	chunk int // entries sorted in memory
}

func (s *Spool) importBlacklist(ctx context.Context, next func() (Listed, error), progress func(int), sizes importSizes) (n int, err error) {
	select {
	case s.importing <- struct{}{}:
		defer func() { <-s.importing }()
	case <-ctx.Done():
		return 0, gateway.Errorf(gateway.KindUnavailable, "another list is being imported: %w", ctx.Err())
	}
	if err := s.room(); err != nil {
		return 0, err
	}
	im := &blackImport{s: s, sorter: newSorter(sortDir(s.o.Path), sizes.chunk), lanes: map[string]uint32{}}
	defer func() { err = errors.Join(err, im.sorter.close()) }()
	if err := im.read(ctx, next, progress); err != nil {
		return im.n, err
	}
	sorted, err := im.sorter.sorted()
	if err != nil {
		return im.n, err
	}
	switch {
	case im.n == 0:
		return 0, nil
	case im.n <= sizes.small && im.n <= sizes.chunk:
		return im.n, im.overlay(ctx, im.sorter.chunk)
	}
	return im.n, im.rebuild(ctx, sorted)
}

// blackImport is one import.
type blackImport struct {
	s      *Spool
	sorter *sorter
	lanes  map[string]uint32
	n      int
	first  Listed // source and time of the list
}

// read takes the whole list: nothing is listed before its end is seen.
func (i *blackImport) read(ctx context.Context, next func() (Listed, error), progress func(int)) error {
	for {
		l, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := i.take(ctx, &l); err != nil {
			return err
		}
		if i.n%progressEvery != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return gateway.Errorf(gateway.KindUnavailable, "the import was ended: %w", err)
		}
		if progress != nil {
			progress(i.n)
		}
	}
	if progress != nil {
		progress(i.n)
	}
	return nil
}

func (i *blackImport) take(ctx context.Context, l *Listed) error {
	if err := checkListed(l); err != nil {
		return err
	}
	lane, err := i.lane(ctx, l.Campaign)
	if err != nil {
		return err
	}
	if i.n == 0 {
		i.first = *l
	}
	i.n++
	number, _ := l.Number.Packed()
	return i.sorter.add(listing{number, scopeOf(lane, l.OptOut)})
}

func (i *blackImport) lane(ctx context.Context, campaign string) (uint32, error) {
	if campaign == "" {
		return 0, nil
	}
	if lane, ok := i.lanes[campaign]; ok {
		return lane, nil
	}
	if len(i.lanes) == maxImportCampaigns {
		return 0, gateway.Invalid("campaign", "one list names at most %d campaigns", maxImportCampaigns)
	}
	var lane uint32
	err := i.s.update(ctx, func(t *tx) (err error) {
		lane, err = t.lane(campaign)
		return err
	})
	if err == nil {
		i.lanes[campaign] = lane
	}
	return lane, err
}

// overlay lists a few entries: one commit, so that it is all or nothing.
func (i *blackImport) overlay(ctx context.Context, ls []listing) error {
	return i.s.updateRows(ctx, len(ls), func(t *tx) error {
		at := t.orNow(i.first.At)
		for _, l := range ls {
			if _, err := t.list(l, addition{at: at, source: i.first.Source, imported: true}); err != nil {
				return err
			}
		}
		return i.tell(t)
	})
}

func (i *blackImport) tell(t *tx) error {
	return t.emit(gateway.EventBlacklist, gateway.BlacklistEvent{Source: i.first.Source, Listed: true, Imported: i.n})
}
