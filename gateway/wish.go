package gateway

// Wish is what a customer's message asks of us: to be left alone, or to be written to
// again. The numbers are on disk.
type Wish uint8

// The wishes.
const (
	WishNone  Wish = 0 // none that a machine can see
	WishStop  Wish = 1 // no more messages
	WishStart Wish = 2 // messages again
	WishNear  Wish = 3 // it may mean stop or start: a person should read it
)

var wishNames = [...]string{"none", "stop", "start", "near"}

// String gives the wish's word.
func (w Wish) String() string {
	if int(w) < len(wishNames) {
		return wishNames[w]
	}
	return "none"
}

// ParseWish reads a wish's word.
func ParseWish(word string) (Wish, bool) {
	for i, n := range wishNames {
		if n == word {
			return Wish(i), true
		}
	}
	return WishNone, false
}

// WishLanguages are the languages whose words for stop and start are known.
func WishLanguages() []string { return []string{"en", "es", "pt"} }
