// SPDX-License-Identifier: Apache-2.0

package known

import (
	"cmp"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
)

// upstream returns the version that a program's authors gave, of that of a Debian package:
// without epoch and revision, and of 5.6.1+really5.4.5 what it really is.
func upstream(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version = rest
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version = version[:i]
	}
	if _, really, ok := strings.Cut(version, "+really"); ok {
		version = really
	}
	return version
}

// compare compares versions as deb-version(7) has it: numbers as numbers, what is between them
// as text, in which a letter comes before other characters and a tilde before the end.
func compare(a, b string) int {
	for a != "" || b != "" {
		x, y := leading(&a, false), leading(&b, false)
		for i := range max(len(x), len(y)) {
			if c := cmp.Compare(order(x, i), order(y, i)); c != 0 {
				return c
			}
		}
		x, y = strings.TrimLeft(leading(&a, true), "0"), strings.TrimLeft(leading(&b, true), "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}

// leading cuts off the digits that a text begins with, or what is not digits.
func leading(text *string, digits bool) string {
	n := 0
	for n < len(*text) && ('0' <= (*text)[n] && (*text)[n] <= '9') == digits {
		n++
	}
	part := (*text)[:n]
	*text = (*text)[n:]
	return part
}

func order(text string, i int) int {
	switch {
	case i >= len(text):
		return 0
	case text[i] == '~':
		return -1
	case 'a' <= text[i] && text[i] <= 'z', 'A' <= text[i] && text[i] <= 'Z':
		return int(text[i])
	default:
		return int(text[i]) + 256
	}
}

// sandboxes reports whether a version of a program is known to sandbox; empty if that one is
// not known.
func sandboxes(k *policy.Known, version string) access.Answer {
	switch {
	case version == "" && k.Since == "" && k.Until == "":
		return access.Yes
	case version == "":
		return access.Unknown
	case k.Since != "" && compare(version, k.Since) < 0:
		return access.No
	case k.Until == "":
		return access.Yes
	case compare(version, k.Until) >= 0:
		return access.No
	case k.Checked != nil && compare(version, k.Checked.Version) <= 0:
		return access.Yes
	default:
		return access.Unknown // between the last that did and the first that did not
	}
}
