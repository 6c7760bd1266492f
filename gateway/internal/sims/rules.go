package sims

import "time"

// What a card looks like that the network has blocked without a word, and how long
// things stay as they are. Segments are counted where a report was asked for.
const (
	muteSegments = 30        // without a delivery in a row, before a card is suspected
	muteTime     = time.Hour // and since the first of them
	muteHint     = 5         // without a delivery in a row: another card that is no witness for the reports
	restTime     = time.Hour // a hold that nobody but we began lasts so long, unless a report comes
	usualDays    = 14        // that a card's own past is judged by
	usualLeast   = 20        // segments in them: fewer prove no habit
	usualShare   = 0.5       // of them delivered: below it a card never got its reports
)

// What costs how many points of a card's health, of 100.
const (
	recentDays = 2 // that are compared with the card's own past

	pointsDelivery = 60 // when nothing is delivered any more
	pointsMute     = 40 // for muteSegments in a row that were not delivered
	pointsRefusal  = 5  // for each refusal in a row behind the first
	mostRefusal    = 40 // for all of them
	pointsSignal   = 20 // for a signal that is signalDrop weaker than usual

	signalDrop  = 6.0  // steps of AT+CSQ, 2 dB each (TS 27.007 §8.5)
	signalLeast = 1440 // samples, one a minute, before a signal is usual
	signalWeek  = 7 * 1440
	signalNow   = 30 // samples that the present signal is the average of
)

// The schedule of balances.
const (
	everyDefault = 24 * time.Hour
	firstWithin  = 10 * time.Minute // a card that is due is asked within this
	asksAtOnce   = 4
	askTime      = 2 * time.Minute // for the network's answer
	failsTold    = 5               // tries in a row, over seven hours, before an alarm says that a balance is not known
	tickEvery    = time.Minute
)

// MaxCards bounds the passports: those that were never held and seen longest ago go
// first, when another card comes.
const MaxCards = 1000

const (
	maxPlaces  = 20
	maxAmounts = 100
	maxText    = 182            // characters of an answer (TS 22.090 §5.2)
	maxNews    = 64             // events of one card that wait for the disk
	seenEvery  = 24 * time.Hour // how old "last seen" on disk may be while a card is there
	leftEvery  = time.Hour      // and when it leaves: a modem may come and go all day
)

// backoff is the wait before a balance is asked for again that the device could not
// ask for.
func backoff(fails int, every time.Duration) time.Duration {
	wait := 5 * time.Minute << min(2*(fails-1), 6)
	return min(wait, every)
}
