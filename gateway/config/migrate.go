package config

import "fmt"

// Version is the version of the file that this program writes and reads without
// a migration.
const Version = 1

// migration turns a tree of one version into a tree of the next. It is given a
// file that once was valid and must not judge it: reading does that.
type migration func(tree map[string]any)

// migrations lists, by the version that it starts from, what makes an old file a
// present one. There is one version yet; the first change adds an entry here and
// the old file to testdata for ever.
func migrations() map[int64]migration { return map[int64]migration{} }

// migrate brings a tree from its version to the wanted one, a step a version.
func migrate(tree map[string]any, want int64, steps map[int64]migration) error {
	v, ok := tree["version"]
	if !ok {
		return fmt.Errorf("is missing: the file begins with version = %d", want)
	}
	from, ok := v.(int64)
	switch {
	case !ok || from < 1:
		return fmt.Errorf("must be a whole number, such as %d", want)
	case from > want:
		return fmt.Errorf("%d is newer than this program, which reads up to %d: install a newer fieldpost", from, want)
	}
	for ; from < want; from++ {
		step, ok := steps[from]
		if !ok {
			return fmt.Errorf("%d is not supported any more", from)
		}
		step(tree)
	}
	tree["version"] = want
	return nil
}
