// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"path"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
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

// limits are what of a snapshot decides what can be asked for.
type limits struct {
	// rights are those that its kernel can restrict.
	rights access.Bounds
	// rulesRead: the rules of domains are read there. Where they are not, being in
	// a domain stands in for being restricted in some right: each handles one.
	rulesRead bool
	// disabled: its kernel sandboxes nothing.
	disabled bool
}

func limitsOf(s *scan.Snapshot) limits {
	return limits{s.Kernel.Rights, s.Source.Rules == "read", s.Kernel.Landlock != scan.Enabled}
}

// demand is what an Expect asks for on one host.
type demand struct {
	rights access.Rights
	// missing are the names and globs of which the kernel has no right, if that
	// violates.
	missing   []string
	rulesRead bool
	disabled  bool
}

// demandOn returns what is asked for on a host: all rights but those that the
// kernel is known to lack.
func (x *Expect) demandOn(l limits) demand {
	d := demand{rulesRead: l.rulesRead, disabled: l.disabled}
	for _, text := range x.Restricts {
		has := false
		for _, r := range rightsOf(text) {
			if l.rights.Of(r) != access.No {
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
