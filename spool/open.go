package spool

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"fieldpost/gateway"
)

// Schema is the number of the file's layout. A change that an older program
// would misread raises it.
const Schema = 1

var (
	metaSchema  = []byte("schema")  // u32be
	metaNode    = []byte("node")    // hex
	metaEpoch   = []byte("epoch")   // u64be
	metaVersion = []byte("version") // of the program that opened the file last
	metaUser    = []byte("user")    // u32be: user ids below this may have been given out
)

// Open opens the spool, or makes it where there is no file, and settles what a
// crash left behind: a message whose intent is open is in doubt, and nothing else is.
//
// It fails with KindConflict when another process holds the file or a newer
// program wrote it, and with KindInvalid when the file is no spool or is cut short;
// the file is then untouched.
func Open(o Options) (*Spool, error) {
	o.defaults()
	if o.Path == "" {
		return nil, gateway.Invalid("path", "the spool needs a file")
	}
	if o.MaxSize != 0 && o.MaxSize < minSize {
		return nil, gateway.Invalid("max_size", "at least %d MiB are needed, not %d bytes", minSize>>20, o.MaxSize)
	}
	if err := preflight(o.Path); err != nil {
		return nil, err
	}
	s := &Spool{o: o, log: o.Logger, failed: make(chan struct{}), importing: make(chan struct{}, 1)}
	s.mirror.init()
	s.tail.init()
	if err := s.openFile(); err != nil {
		return nil, err
	}
	err := s.load()
	if err == nil {
		err = s.guard(s.measure)
	}
	if err != nil {
		if s.broken() == nil {
			return nil, errors.Join(err, s.db.Close())
		}
		return nil, err
	}
	s.w = newWriter(s)
	go s.w.run()
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.tidyBlacklist(context.Background()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Spool) openFile() error {
	return s.guard(func() (err error) {
		s.db, err = bbolt.Open(s.o.Path, 0o600, &bbolt.Options{
			Timeout:         s.o.Timeout,
			FreelistType:    bbolt.FreelistMapType,
			NoFreelistSync:  true, // else every commit writes the whole list (bbolt#401)
			InitialMmapSize: mmapSize(),
			MaxSize:         int(max(s.o.MaxSize, 0)),
			OpenFile:        s.o.openFile,
		})
		switch {
		case errors.Is(err, berrors.ErrTimeout):
			return gateway.Errorf(gateway.KindConflict, "%s: another process holds the spool: is fieldpost running already? (%w)", s.o.Path, err)
		case err != nil:
			return gateway.Errorf(gateway.KindUnavailable, "%s: the spool cannot be opened: %w", s.o.Path, err)
		}
		s.db.AllocSize = allocSize
		return nil
	})
}

// load checks the schema, makes what is missing and fills the memory mirrors.
func (s *Spool) load() error {
	return s.guard(func() error {
		if err := s.db.View(s.checkSchema); err != nil {
			return err
		}
		return s.db.Update(func(b *bbolt.Tx) error {
			for _, name := range bucketNames() {
				if _, err := b.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			if err := s.loadMeta(b.Bucket(bucketMeta)); err != nil {
				return err
			}
			for _, fill := range []func(*bbolt.Tx) error{s.loadLanes, s.loadCounters, s.loadTail, s.loadStats} {
				if err := fill(b); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// checkSchema reads only: a file that is not ours, or newer, stays as it is.
func (s *Spool) checkSchema(b *bbolt.Tx) error {
	meta := b.Bucket(bucketMeta)
	if meta == nil {
		if k, _ := b.Cursor().First(); k != nil {
			return gateway.Errorf(gateway.KindInvalid, "%s: a bbolt file, but not a spool: its first bucket is %q", s.o.Path, k)
		}
		return nil
	}
	v := meta.Get(metaSchema)
	if len(v) != 4 {
		return gateway.Errorf(gateway.KindInvalid, "%s: a bbolt file, but not a spool: it has no schema number", s.o.Path)
	}
	if n := binary.BigEndian.Uint32(v); n > Schema {
		return gateway.Errorf(gateway.KindConflict, "%s: written by fieldpost %s with schema %d, and this program reads schema %d: "+
			"start that version or a newer one, or restore a backup made before the upgrade", s.o.Path, meta.Get(metaVersion), n, Schema)
	}
	return nil
}

func (s *Spool) loadMeta(meta *bbolt.Bucket) error {
	if meta.Get(metaSchema) == nil {
		var node [16]byte
		var user [4]byte
		rand.Read(node[:])
		rand.Read(user[:])
		user[0] &= 0x7F // see NextUserID
		first := map[string][]byte{
			string(metaSchema): binary.BigEndian.AppendUint32(nil, Schema),
			string(metaNode):   []byte(hex.EncodeToString(node[:])),
			string(metaEpoch):  u64(uint64(s.o.Now().UnixMilli())),
			string(metaUser):   user[:],
		}
		for k, v := range first {
			if err := meta.Put([]byte(k), v); err != nil {
				return err
			}
		}
	}
	s.node = string(meta.Get(metaNode))
	epoch := meta.Get(metaEpoch)
	if len(epoch) != 8 || s.node == "" {
		return gateway.Errorf(gateway.KindInvalid, "%s: the spool has lost its name or its epoch", s.o.Path)
	}
	s.epoch = binary.BigEndian.Uint64(epoch)
	return meta.Put(metaVersion, []byte(s.o.Version))
}

// preflight refuses a file that bbolt would map and then fault on, or would write
// into although it is not ours. A file that is not there, or empty, is a new spool.
func preflight(path string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return gateway.Errorf(gateway.KindUnavailable, "%s: the spool cannot be read: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return gateway.Errorf(gateway.KindUnavailable, "%s: the spool cannot be read: %w", path, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return gateway.Errorf(gateway.KindInvalid, "%s: the spool must be a file", path)
	case info.Size() == 0:
		return nil
	}
	need, err := pagesInUse(f)
	switch {
	case err != nil:
		return gateway.Errorf(gateway.KindInvalid, "%s: not a spool: %w", path, err)
	case info.Size() < need:
		return gateway.Errorf(gateway.KindInvalid, "%s: the spool is cut short: %d of %d bytes are there: restore a backup; the file is left as it is", path, info.Size(), need)
	}
	return nil
}

// pagesInUse reads bbolt's two meta pages (page header of 16 bytes, then magic,
// version, page size, flags, root page and sequence, freelist, high water mark, txid) and
// gives the length that the newest of them needs.
func pagesInUse(f io.ReaderAt) (int64, error) {
	const magic = 0xED0CDAED
	var need int64
	for _, at := range []int64{0, int64(os.Getpagesize())} {
		var p [80]byte
		if _, err := f.ReadAt(p[:], at); err != nil {
			continue
		}
		m := p[16:]
		if binary.NativeEndian.Uint32(m) != magic {
			continue
		}
		size, pages := binary.NativeEndian.Uint32(m[8:]), binary.NativeEndian.Uint64(m[40:])
		need = max(need, int64(size)*int64(pages))
	}
	if need == 0 {
		return 0, fmt.Errorf("neither of its first pages is bbolt's")
	}
	return need, nil
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
