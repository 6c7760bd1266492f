package gateway

import "strings"

// Address is where a message goes or comes from, normalised: "+" and 7 to 15
// digits (E.164), a short code of 2 to 6 digits, or an alphanumeric sender of at
// most 11 characters. Only the first form is used for subscribers.
type Address string

// E164 says that the address is an international number: "+", then 7 to 15
// digits that do not begin with 0 (ITU-T E.164 §6.2).
func (a Address) E164() bool {
	s := string(a)
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	return digits(s[1:])
}

// Short says that the address is a short code.
func (a Address) Short() bool {
	return len(a) >= 2 && len(a) <= 6 && digits(string(a))
}

// Packed gives the address as one number for compact indexes: the digits of an
// E.164 number as they are; a short code with the top bit and its length, so that
// leading zeros count. Alphanumeric senders have none.
func (a Address) Packed() (uint64, bool) {
	switch {
	case a.E164():
		return decimal(string(a[1:])), true
	case a.Short():
		return 1<<63 | uint64(len(a))<<56 | decimal(string(a)), true
	}
	return 0, false
}

// Unpack undoes Packed.
func Unpack(n uint64) Address {
	if n>>63 == 0 {
		return Address("+" + itoa(n, 0))
	}
	return Address(itoa(n&(1<<56-1), int(n>>56&0x7F)))
}

// Masked hides all but the last three digits: what a log may hold.
func (a Address) Masked() string {
	if len(a) <= 3 {
		return strings.Repeat("*", len(a))
	}
	return strings.Repeat("*", len(a)-3) + string(a[len(a)-3:])
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func decimal(s string) uint64 {
	var n uint64
	for i := 0; i < len(s); i++ {
		n = n*10 + uint64(s[i]-'0')
	}
	return n
}

// itoa writes n in decimal with at least width digits.
func itoa(n uint64, width int) string {
	var buf [20]byte
	i := len(buf)
	for n > 0 || width > 0 || i == len(buf) {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return string(buf[i:])
}
