package spool

// The buckets of the file. A name is on disk: it never changes its meaning.
//
// Those that every message writes to have names that sort together, and last: the
// list of buckets is a page that each commit writes, and when it has grown to several
// pages they are still on one of them.
var (
	bucketMeta       = []byte("meta")       // name -> value: schema, node, epoch, version, user
	bucketLane       = []byte("lane")       // 'n' name -> lane u32be; 'i' lane u32be -> name; 'x' name: its definition was deleted
	bucketMsg        = []byte("~msg")       // idm u64be -> message record
	bucketIndex      = []byte("~index")     // lane u32be, slot u8, sort u64be, idm u64be -> empty
	bucketIntent     = []byte("~intent")    // idm u64be, segment u8 -> intent record
	bucketState      = []byte("~state")     // 'c' lane -> counters; 'r' dialer -> ring cursor; 'u' SIM -> usage
	bucketRecipient  = []byte("recipient")  // SIM, 0, number of the billing month u16be, address u64be -> empty
	bucketOutbox     = []byte("~outbox")    // seq u64be -> event record
	bucketQuarantine = []byte("quarantine") // n u64be -> a record that could not be read, as it was
)

// bucketNames lists every bucket: Open makes those that are missing.
func bucketNames() [][]byte {
	return [][]byte{
		bucketMeta, bucketLane, bucketMsg, bucketIndex, bucketIntent, bucketState,
		bucketRecipient, bucketSIMDays, bucketOutbox, bucketQuarantine, bucketEnds,

		bucketBlack, bucketListed, bucketUnlisted, bucketTouched, bucketHits,
		bucketDocs, bucketUploads, bucketUploadTime, bucketUploadBad,
		bucketIdem, bucketIdemTime,
		bucketRefs, bucketRefsTime, bucketDoubts, bucketTries, bucketOrphans, bucketOrphansBy, bucketOrphanTold,
		bucketInbound, bucketSeen, bucketSeenTime, bucketWishes, bucketUnreplied,
		bucketSets, bucketSetKey, bucketSetOpen, bucketSetFrom, bucketSetLates,
	}
}

// appended says that a bucket's keys only grow, so that its pages may be filled:
// a page of it is not written into again once it is full.
func appended(name []byte) bool {
	switch string(name) {
	case "~msg", "~outbox", "quarantine":
		return true
	}
	return false
}

// fillAppended leaves room for the outcome that a record grows by.
const fillAppended = 0.95
