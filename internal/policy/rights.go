// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"path"
	"strings"

	"github.com/landlockd/landlockd/access"
)

// addRight adds the name of a right or a glob over names.
func (x *Expect) addRight(text string) error {
	if !isRightGlob(text) {
		if _, ok := access.Lookup(text); !ok {
			return fmt.Errorf("%s is no right: docs/rights.md has their names, such as fs.write_file", quote(text))
		}
	} else if _, err := path.Match(text, ""); err != nil {
		return fmt.Errorf("%s: %w", quote(text), err)
	} else if len(access.Match(text)) == 0 {
		return fmt.Errorf("%s matches no right", quote(text))
	}
	x.Restricts = append(x.Restricts, text)
	return nil
}

func isRightGlob(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// demand is what rights an Expect asks for on one kernel.
type demand struct {
	rights access.Rights
	// missing are the names and globs that this kernel has no right of, if
	// that violates.
	missing []string
}

// demandOn returns what is asked for on a kernel with an ABI version.
func (x *Expect) demandOn(abi int) demand {
	var d demand
	kernel := access.Supported(abi)
	for _, text := range x.Restricts {
		has := false
		for _, r := range rightsOf(text) {
			// What the table does not know may be there: the kernel is newer.
			if r.ABI == 0 || r.In(kernel) {
				d.rights, has = d.rights.Union(r.Rights()), true
			}
		}
		if !has && x.OldKernel == Violate {
			d.missing = append(d.missing, text)
		}
	}
	return d
}

func rightsOf(text string) []access.Right {
	if isRightGlob(text) {
		return access.Match(text)
	}
	r, ok := access.Lookup(text)
	if !ok {
		return nil
	}
	return []access.Right{r}
}
