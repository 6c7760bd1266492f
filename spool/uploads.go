package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// The buckets of the uploads. The refused lines have rows of their own, so that the
// progress of a load writes each of them once and not with every batch.
var (
	bucketUploads    = []byte("uploads")      // id -> storedUpload in JSON
	bucketUploadTime = []byte("uploads.time") // created ms u64be, id -> empty
	bucketUploadBad  = []byte("uploads.bad")  // id, 0, n u32be -> BadLine in JSON
)

const (
	maxUploadID = 128 // bytes
	maxReason   = 500 // bytes of a refused line's reason that are kept
)

// storedUpload is the record of an upload.
type storedUpload struct {
	Upload
	BadLines int `json:"bad_lines"` // rows of bucketUploadBad
}

// The states that a load ends in.
const (
	uploadDone   = "done"
	uploadFailed = "failed"
)

// PutUpload stores an upload, new or known. That its load ended is told in an event
// of the same commit.
func (s *Spool) PutUpload(ctx context.Context, u Upload) error {
	return s.update(ctx, func(t *tx) error { return t.putUpload(u) })
}

// putUpload stores an upload within a commit, such as that of its next rows. Its
// refused lines only grow.
func (t *tx) putUpload(u Upload) error {
	if err := checkUpload(&u); err != nil {
		return err
	}
	rows := t.bucket(bucketUploads)
	had, err := decodeUpload(rows.Get([]byte(u.ID)))
	if err != nil {
		return err
	}
	if had.ID != "" {
		u.Created = had.Created
	}
	u.Created = t.orNow(u.Created)
	for i := had.BadLines; i < len(u.Bad); i++ {
		line := u.Bad[i]
		line.Reason = clipReason(line.Reason)
		if err := putJSON(t.bucket(bucketUploadBad), badKey(u.ID, i), line); err != nil {
			return err
		}
	}
	stored := storedUpload{Upload: u, BadLines: max(had.BadLines, len(u.Bad))}
	stored.Bad = nil
	if u.State != had.State && (u.State == uploadDone || u.State == uploadFailed) {
		if err := t.emit(gateway.EventUpload, uploadEvent(&u)); err != nil {
			return err
		}
	}
	if err := t.bucket(bucketUploadTime).Put(uploadTimeKey(&u), present); err != nil {
		return err
	}
	return putJSON(rows, []byte(u.ID), stored)
}

func uploadEvent(u *Upload) gateway.UploadEvent {
	return gateway.UploadEvent{
		Upload: u.ID, Kind: u.Kind, Campaign: u.Campaign, Name: u.Name, Agent: u.Agent,
		State: u.State, Accepted: u.Accepted, Invalid: u.Invalid, Rejected: u.Rejected, Error: u.Error,
	}
}

// Upload gives one upload; KindNotFound when there is none with that id.
func (s *Spool) Upload(id string) (Upload, error) {
	var u Upload
	err := s.view(func(b *bbolt.Tx) (err error) {
		u, err = readUpload(b, []byte(id))
		return err
	})
	return u, err
}

// Uploads gives the newest uploads, newest first and without their refused lines.
// limit is 1 to 1000; 0 = 100.
func (s *Spool) Uploads(limit int) ([]Upload, error) {
	limit, err := pageLimit(limit)
	if err != nil {
		return nil, err
	}
	var us []Upload
	err = s.view(func(b *bbolt.Tx) error {
		c := b.Bucket(bucketUploadTime).Cursor()
		for k, _ := c.Last(); len(k) > 8 && len(us) < limit; k, _ = c.Prev() {
			u, err := decodeUpload(b.Bucket(bucketUploads).Get(k[8:]))
			if err != nil {
				return err
			}
			us = append(us, u.Upload)
		}
		return nil
	})
	return us, err
}

func readUpload(b *bbolt.Tx, id []byte) (Upload, error) {
	u, err := decodeUpload(b.Bucket(bucketUploads).Get(id))
	if err != nil {
		return Upload{}, err
	}
	if u.ID == "" {
		return Upload{}, gateway.Errorf(gateway.KindNotFound, "no upload has this id")
	}
	for i := range u.BadLines {
		var line BadLine
		if err := json.Unmarshal(b.Bucket(bucketUploadBad).Get(badKey(u.ID, i)), &line); err != nil {
			return Upload{}, errUpload(err)
		}
		u.Bad = append(u.Bad, line)
	}
	return u.Upload, nil
}

func checkUpload(u *Upload) error {
	switch {
	case u.ID == "":
		return gateway.Invalid("id", "is missing")
	case len(u.ID) > maxUploadID:
		return gateway.Invalid("id", "has %d bytes; at most %d are allowed", len(u.ID), maxUploadID)
	case bytes.IndexByte([]byte(u.ID), 0) >= 0:
		return gateway.Invalid("id", "holds a zero byte")
	case len(u.Bad) > MaxBadLines:
		return gateway.Invalid("bad", "%d refused lines; at most %d are kept with their reason", len(u.Bad), MaxBadLines)
	}
	return nil
}

// decodeUpload reads a record; none gives one without an id.
func decodeUpload(v []byte) (storedUpload, error) {
	var u storedUpload
	if v == nil {
		return u, nil
	}
	if err := json.Unmarshal(v, &u); err != nil {
		return u, errUpload(err)
	}
	return u, nil
}

func errUpload(err error) error {
	return gateway.Errorf(gateway.KindInternal, "the record of an upload cannot be read: %w", err)
}

// clipReason bounds a reason, at the border of a character.
func clipReason(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "…"
}

func uploadTimeKey(u *Upload) []byte {
	return timeKey(u.Created, []byte(u.ID))
}

func badKey(id string, n int) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(id), 0), uint32(n))
}

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, body)
}

func checkUploads(b *bbolt.Tx) error {
	rows, times := 0, 0
	err := b.Bucket(bucketUploads).ForEach(func(k, _ []byte) error {
		u, err := readUpload(b, k)
		if err != nil {
			return err
		}
		if b.Bucket(bucketUploadTime).Get(uploadTimeKey(&u)) == nil {
			return gateway.Errorf(gateway.KindInternal, "the upload %q is missing in the list by time", k)
		}
		rows++
		return nil
	})
	if err != nil {
		return err
	}
	err = b.Bucket(bucketUploadTime).ForEach(func(_, _ []byte) error { times++; return nil })
	if err == nil && rows != times {
		err = gateway.Errorf(gateway.KindInternal, "%d uploads, but %d in the list by time", rows, times)
	}
	return err
}
