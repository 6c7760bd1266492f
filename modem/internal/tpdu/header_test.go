package tpdu

import "testing"

// A header of any octets is read without a panic, and says nothing that makes no sense.
func FuzzHeader(f *testing.F) {
	f.Add([]byte{5, 0, 3, 0x42, 2, 1, 'a'})
	f.Add([]byte{6, 8, 4, 0x12, 0x34, 2, 2})
	f.Add([]byte{3, 0x24, 1, 3})
	f.Add([]byte{255, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var n notes
		h, ok := readHeader(data, &n)
		switch {
		case !ok && h != header{}:
			t.Errorf("% X says %+v, and is none", data, h)
		case ok && (h.size < 1 || h.size > len(data)):
			t.Errorf("% X has a header of %d octets", data, h.size)
		case h.total > 255 || h.seq > h.total || h.total > 0 && h.seq == 0 || !h.wide && h.ref > 255:
			t.Errorf("% X is segment %d of %d, reference %d", data, h.seq, h.total, h.ref)
		}
		if len(n) > len(data) {
			t.Errorf("%d remarks on %d octets", len(n), len(data))
		}
	})
}
