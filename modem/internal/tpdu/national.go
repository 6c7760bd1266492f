package tpdu

import (
	"sync"

	"fieldpost/gateway/gsm7"

	codec "github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/gsm7/charset"
)

// buildTables makes the library build all its tables for reading, once. S23: it
// builds each at its first use, without a lock.
var buildTables = sync.OnceFunc(func() {
	charset.DefaultDecoder()
	charset.DefaultExtDecoder()
	for language := charset.Start; language < charset.End; language++ {
		charset.NewDecoder(language)
		charset.NewExtDecoder(language)
	}
})

// national reads septets with a language's tables (TS 23.038 §6.2.1.2.4). A
// language that nobody knows is read with the default tables.
func national(septets []byte, h header) string {
	buildTables()
	text, err := codec.Decode(septets, codec.WithCharset(int(h.locking)), codec.WithExtCharset(int(h.single)))
	if err != nil {
		return gsm7.DecodeSeptets(septets)
	}
	return string(text)
}
