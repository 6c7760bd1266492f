package spool

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"fieldpost/gateway"
)

// bucketDocs holds the definitions: kind, 0, name -> doc record.
var bucketDocs = []byte("docs")

const (
	// maxDoc is the largest body of a definition, in bytes.
	maxDoc = 64 << 10
	// maxDocName is the longest kind or name of a definition, in bytes.
	maxDocName = 255
)

// PutDoc stores a definition when d.Revision is the stored one (0 = there must be
// none), and gives it back with its new revision and time. KindConflict: somebody
// else changed it meanwhile. It tells nobody: the catalog knows what a change means.
func (s *Spool) PutDoc(ctx context.Context, d Doc) (Doc, error) {
	return s.putDoc(ctx, d, func(*tx) error { return nil })
}

// putDoc stores a definition, and then what belongs to it, in one commit.
func (s *Spool) putDoc(ctx context.Context, d Doc, then func(*tx) error) (Doc, error) {
	key, err := docKey(d.Kind, d.Name)
	if err != nil {
		return Doc{}, err
	}
	if len(d.Body) > maxDoc {
		return Doc{}, gateway.Invalid("body", "has %d bytes; a definition has at most %d", len(d.Body), maxDoc)
	}
	out := d
	out.Body = bytes.Clone(d.Body)
	err = s.update(ctx, func(t *tx) error {
		b := t.bucket(bucketDocs)
		var stored uint64
		if v := b.Get(key); v != nil {
			old, err := decodeDoc(key, v)
			if err != nil {
				return clean(err)
			}
			stored = old.Revision
		}
		if stored != d.Revision {
			return clean(errRevision(d.Name, d.Revision, stored))
		}
		out.Revision, out.Changed = stored+1, t.now.Truncate(time.Millisecond)
		if err := b.Put(key, encodeDoc(&out)); err != nil {
			return err
		}
		return then(t)
	})
	if err != nil {
		return Doc{}, err
	}
	return out, nil
}

func errRevision(name string, put, stored uint64) error {
	switch {
	case stored == 0:
		return gateway.Errorf(gateway.KindConflict, "%s does not exist any more: revision %d was given", name, put)
	case put == 0:
		return gateway.Errorf(gateway.KindConflict, "%s exists already, at revision %d", name, stored)
	}
	return gateway.Errorf(gateway.KindConflict, "%s was changed meanwhile: it has revision %d, and %d was given", name, stored, put)
}

// Doc gives one definition; KindNotFound when there is none of that name.
func (s *Spool) Doc(kind, name string) (Doc, error) {
	key, err := docKey(kind, name)
	if err != nil {
		return Doc{}, err
	}
	var d Doc
	err = s.view(func(b *bbolt.Tx) (err error) {
		v := b.Bucket(bucketDocs).Get(key)
		if v == nil {
			return errNoDoc(kind, name)
		}
		d, err = decodeDoc(key, v)
		return err
	})
	return d, err
}

// Docs gives all definitions of a kind, by name.
func (s *Spool) Docs(kind string) ([]Doc, error) {
	if err := checkDocName("kind", kind); err != nil {
		return nil, err
	}
	var ds []Doc
	err := s.view(func(b *bbolt.Tx) error {
		first := append([]byte(kind), 0)
		c := b.Bucket(bucketDocs).Cursor()
		for k, v := c.Seek(first); bytes.HasPrefix(k, first); k, v = c.Next() {
			d, err := decodeDoc(k, v)
			if err != nil {
				return err
			}
			ds = append(ds, d)
		}
		return nil
	})
	return ds, err
}

// DeleteDoc removes a definition; KindNotFound when there is none of that name.
func (s *Spool) DeleteDoc(ctx context.Context, kind, name string) error {
	nothing := func(*tx) error { return nil }
	return s.deleteDoc(ctx, kind, name, nothing, nothing)
}

// deleteDoc removes a definition that may go, and then does what belongs to that,
// in one commit. may must not write.
func (s *Spool) deleteDoc(ctx context.Context, kind, name string, may, then func(*tx) error) error {
	key, err := docKey(kind, name)
	if err != nil {
		return err
	}
	return s.update(ctx, func(t *tx) error {
		b := t.bucket(bucketDocs)
		if b.Get(key) == nil {
			return clean(errNoDoc(kind, name))
		}
		if err := may(t); err != nil {
			return clean(err)
		}
		if err := b.Delete(key); err != nil {
			return err
		}
		return then(t)
	})
}

func errNoDoc(kind, name string) error {
	return gateway.Errorf(gateway.KindNotFound, "no %s is named %q", kind, name)
}

func docKey(kind, name string) ([]byte, error) {
	if err := checkDocName("kind", kind); err != nil {
		return nil, err
	}
	if err := checkDocName("name", name); err != nil {
		return nil, err
	}
	return append(append([]byte(kind), 0), name...), nil
}

func checkDocName(field, s string) error {
	switch {
	case s == "":
		return gateway.Invalid(field, "is missing")
	case len(s) > maxDocName:
		return gateway.Invalid(field, "has %d bytes; at most %d are allowed", len(s), maxDocName)
	case strings.IndexByte(s, 0) >= 0:
		return gateway.Invalid(field, "holds a zero byte")
	}
	return nil
}

// docHead is the part of a doc record before the body: version, revision, time.
const docHead = 1 + 8 + 8

func encodeDoc(d *Doc) []byte {
	b := append(make([]byte, 0, docHead+len(d.Body)), 1)
	b = binary.BigEndian.AppendUint64(b, d.Revision)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Changed.UnixMilli()))
	return append(b, d.Body...)
}

func decodeDoc(k, v []byte) (Doc, error) {
	kind, name, ok := bytes.Cut(k, []byte{0})
	if !ok || len(v) < docHead || v[0] != 1 {
		return Doc{}, gateway.Errorf(gateway.KindInternal, "the definition %q cannot be read", name)
	}
	return Doc{
		Kind: string(kind), Name: string(name),
		Revision: binary.BigEndian.Uint64(v[1:]),
		Changed:  time.UnixMilli(int64(binary.BigEndian.Uint64(v[9:]))).UTC(),
		Body:     bytes.Clone(v[docHead:]),
	}, nil
}

func checkDocs(b *bbolt.Tx) error {
	return b.Bucket(bucketDocs).ForEach(func(k, v []byte) error {
		d, err := decodeDoc(k, v)
		if err == nil && d.Revision == 0 {
			err = gateway.Errorf(gateway.KindInternal, "the definition %q has revision 0", d.Name)
		}
		return err
	})
}
