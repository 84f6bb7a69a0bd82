// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"path"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Ineffective stands in for the state of what is sandboxed and restricts nothing.
const Ineffective = "ineffective"

// StateWord returns a state, or Ineffective.
func StateWord(state scan.State, ineffective access.Answer) string {
	if ineffective == access.Yes {
		return Ineffective
	}
	return state.String()
}

// Matches reports whether a name matches one of some patterns of path.Match, if there are any.
func Matches(globs []string, name string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		ok, _ := path.Match(glob, name)
		return ok
	})
}

// Letters returns a function that writes in five letters what is restricted on a host, of
// reading (R), writing (W) and executing files (X), of the network (N) and of what scopes
// cover (S): a capital if that is so of all rights of the kind that this kernel has, a small
// letter if of some, "-" if of none and "?" if it is not known.
//
// Ioctl on devices, links between directories and Unix sockets with a path have no letter.
func Letters(kernel access.Bounds) func(restricts access.Bounds) string {
	kinds := [...]struct {
		letter string
		globs  []string
		rights access.Rights
	}{
		{letter: "R", globs: []string{"fs.read_*"}},
		{letter: "W", globs: []string{"fs.write_file", "fs.truncate", "fs.make_*", "fs.remove_*"}},
		{letter: "X", globs: []string{"fs.execute"}},
		{letter: "N", globs: []string{"net.*"}},
		{letter: "S", globs: []string{"scope.*"}},
	}
	for i := range kinds {
		for _, glob := range kinds[i].globs {
			for _, right := range access.Match(glob) {
				kinds[i].rights = kinds[i].rights.Union(right.Rights().Intersect(kernel.May))
			}
		}
	}
	return func(restricts access.Bounds) string {
		var b strings.Builder
		for _, k := range kinds {
			sure, may := restricts.Sure.Intersect(k.rights), restricts.May.Intersect(k.rights)
			switch {
			case !sure.Empty() && sure.Has(k.rights):
				b.WriteString(k.letter)
			case !sure.Empty():
				b.WriteString(strings.ToLower(k.letter))
			case !may.Empty():
				b.WriteByte('?')
			default:
				b.WriteByte('-')
			}
		}
		return b.String()
	}
}
