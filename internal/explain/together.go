// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"slices"
	"strings"
)

// Together returns the paths below which all layers that limit a permission grant it,
// none below another, by the paths that were found: where a directory is mounted
// elsewhere, too, there may be more. It is false unless a path is known of each
// file that rules are on.
func (e *Explanation) Together(d *Permission) ([]string, bool) {
	if len(d.Limits) == 0 || d.moreFiles() {
		return nil, false
	}
	byLayer := make([][]string, len(d.Limits))
	var all []string
	for i, l := range d.Limits {
		for _, f := range l.Files {
			path, found := e.Places[File{f.Dev, f.Ino}]
			if !found {
				return nil, false
			}
			byLayer[i] = append(byLayer[i], path)
			all = append(all, path)
		}
	}
	slices.Sort(all)
	var together []string
	for _, path := range all {
		below := func(above string) bool { return IsBelow(path, above) }
		lacks := func(paths []string) bool { return !slices.ContainsFunc(paths, below) }
		if !slices.ContainsFunc(byLayer, lacks) && lacks(together) {
			together = append(together, path)
		}
	}
	return together, true
}

// IsBelow reports whether a path is the other or below it.
func IsBelow(path, above string) bool {
	return path == above || above == "/" || strings.HasPrefix(path, above+"/")
}
