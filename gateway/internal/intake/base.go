package intake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"strings"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// The states of an upload.
const (
	stateLoading = "loading"
	stateDone    = "done"
	stateFailed  = "failed"
)

// The kinds of upload.
const (
	kindBase      = "base"
	kindBlacklist = "blacklist"
)

// maxID is the longest upload id: with it the name of its file fits any disk.
const maxID = 64

// BaseRequest brings a file.
type BaseRequest struct {
	Body     io.Reader
	Name     string // of the file, shown with the upload
	Campaign string // of rows that name none; "" = each row must. Of a blacklist: "" = every campaign
	Upload   string // id, 1 to 64 of A-Z, a-z, 0-9, "_", "-" and "."; "" = a new one
	Agent    string
	Held     bool // rows are stored and not released
	Async    bool // return when the file is accepted, not when it is loaded
}

// TakeBase takes a base. When it returns without an error the file is on disk and
// accepted; with a State of "loading" its rows are still being added, because Async
// asked for it or ctx ended first. Rows that cannot be taken are in Bad.
//
// The same file with the same upload id gives the first result, with all its rows as
// duplicates. KindConflict: the id was used for another file. KindInvalid: the file
// holds no text, is empty or is too large.
func (i *Intake) TakeBase(ctx context.Context, r BaseRequest) (spool.Upload, error) {
	return i.take(ctx, r, kindBase)
}

// TakeBlacklist takes a list of numbers to block, as TakeBase takes a base. Its
// numbers are listed all at once.
func (i *Intake) TakeBlacklist(ctx context.Context, r BaseRequest) (spool.Upload, error) {
	return i.take(ctx, r, kindBlacklist)
}

func (i *Intake) take(ctx context.Context, r BaseRequest, kind string) (spool.Upload, error) {
	if err := i.checkBase(&r); err != nil {
		return spool.Upload{}, err
	}
	got, err := i.receive(ctx, r.Body)
	if err != nil {
		return spool.Upload{}, err
	}
	up, known, err := i.accept(ctx, &r, kind, got)
	if err == nil && !r.Async && up.State == stateLoading {
		up, err = i.await(ctx, up.ID)
	}
	if known {
		up.Duplicates = up.Accepted
	}
	return up, err
}

func (i *Intake) checkBase(r *BaseRequest) error {
	if r.Campaign != "" {
		if _, err := i.o.Catalog.Resolve(r.Campaign); err != nil {
			return err
		}
	}
	if err := checkField("agent", r.Agent, maxAgent); err != nil {
		return err
	}
	if err := checkField("name", r.Name, maxAgent); err != nil {
		return err
	}
	if r.Upload == "" {
		var id [16]byte
		rand.Read(id[:]) // never fails: crypto/rand ends the process instead
		r.Upload = hex.EncodeToString(id[:])
	}
	// It names a file too: nothing that could be a path may pass.
	if len(r.Upload) > maxID || strings.Trim(r.Upload, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") != "" {
		return gateway.Invalid("upload", "must be 1 to %d of A-Z, a-z, 0-9, ., _ and -", maxID)
	}
	return nil
}

// accept commits the record of a file that is on disk: from then on it is ours.
// known says that the id was used before, for the same file.
func (i *Intake) accept(ctx context.Context, r *BaseRequest, kind string, got received) (up spool.Upload, known bool, err error) {
	i.taking.Lock()
	defer i.taking.Unlock()
	loading := i.loading(r.Upload) // before the record is read: a load ends the other way round
	up, err = i.o.Store.Upload(r.Upload)
	switch known = err == nil; {
	case !known && gateway.KindOf(err) != gateway.KindNotFound:
		return spool.Upload{}, false, discard(got, err)
	case !known:
		up = spool.Upload{
			ID: r.Upload, Kind: kind, Campaign: r.Campaign, Name: r.Name, Agent: r.Agent, Held: r.Held,
			Hash: got.hash, Bytes: got.size, Created: i.o.Now().UTC(),
		}
	case up.Hash != got.hash || up.Kind != kind:
		return spool.Upload{}, false, discard(got, &gateway.Error{Kind: gateway.KindConflict, Field: "upload",
			Text: "was used for another file: a new file needs a new id"})
	case up.State == stateDone || up.State == stateLoading && loading:
		return up, true, discard(got, nil)
	}
	// New, failed before, or with a record of a file that is gone: it goes on where it stood.
	up.State, up.Error, up.Path = stateLoading, "", i.path(up.ID)
	if err := i.keep(got, up.ID); err != nil {
		return spool.Upload{}, known, discard(got, err)
	}
	// Whether or not the caller still waits: the answer of this commit decides what
	// becomes of the file.
	if err := i.o.Store.PutUpload(context.WithoutCancel(ctx), up); err != nil {
		return spool.Upload{}, known, discard(received{path: up.Path}, err)
	}
	i.enqueue(up)
	return up, known, nil
}

// loading says that the loader has, or will have, an upload.
func (i *Intake) loading(id string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.loads[id] != nil
}

// await waits until an upload is loaded. It is accepted: the end of ctx is no error.
func (i *Intake) await(ctx context.Context, id string) (spool.Upload, error) {
	i.mu.Lock()
	l := i.loads[id]
	i.mu.Unlock()
	if l != nil {
		select {
		case <-l.done:
		case <-ctx.Done():
		}
	}
	return i.o.Store.Upload(id)
}

// discard removes a file that is not taken and gives the reason on.
func discard(got received, why error) error {
	if err := remove(got.path); err != nil && why == nil {
		return err
	}
	return why
}
