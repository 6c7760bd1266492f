package gateway

// MaxName is the longest name, in characters.
const MaxName = 64

// CheckName says whether a name may stand in a path, a metric and a file: 1 to
// MaxName characters of A-Z, a-z, 0-9, "_" and "-". The error is of kind invalid.
func CheckName(field, name string) error {
	if name == "" {
		return Invalid(field, "is empty; a name has 1 to %d characters of A-Z, a-z, 0-9, _ and -", MaxName)
	}
	if len(name) > MaxName {
		return Invalid(field, "is longer than %d characters", MaxName)
	}
	for i, r := range name {
		if !nameRune(r) {
			return Invalid(field, "has %q at position %d; only A-Z, a-z, 0-9, _ and - are allowed", r, i+1)
		}
	}
	return nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}
