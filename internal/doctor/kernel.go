// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

// checkKernel reports what the kernel is, and what its Landlock has.
func checkKernel(h *host) (found []finding) {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		found = append(found, finding{ok, "kernel", unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])})
	}
	if h.kernelErr != nil {
		return append(found, finding{fail, "Landlock", h.kernelErr.Error()})
	}
	return append(found, ofLandlock(h.kernel)...)
}

func ofLandlock(k *scan.Kernel) []finding {
	switch k.Landlock {
	case scan.Enabled:
		text := fmt.Sprintf("enabled, ABI %d; domains nest up to %d deep", k.ABI, k.NestingLimit())
		return slices.Concat([]finding{{ok, "Landlock", text}, ofRights(k)}, ofErrata(k), ofWays(k))
	case scan.Disabled:
		return []finding{{note, "Landlock", landlock.ErrDisabled.Error() + ": every process is unsandboxed"}}
	default:
		return []finding{{note, "Landlock", landlock.ErrNotBuilt.Error() + ": every process is unsandboxed"}}
	}
}

// ofRights reports which rights the kernel takes, and which of them its ABI does not
// imply.
func ofRights(k *scan.Kernel) finding {
	promised := access.Supported(k.ABI)
	mark, text := ok, fmt.Sprintf("%d, each asked of the kernel", k.Rights.Sure.Count())
	for _, s := range []struct {
		what   string
		rights access.Rights
	}{
		{"refused, though its ABI has them", promised.Without(k.Rights.May)},
		{"not known, because asking was not answered", k.Rights.Unknown()},
	} {
		if !s.rights.Empty() {
			mark, text = note, text+"; "+s.what+": "+someNames(access.Names(s.rights))
		}
	}
	if newer := k.Rights.Sure.Without(promised); !newer.Empty() {
		text += "; beyond its ABI: " + someNames(access.Names(newer))
	}
	return finding{mark, "rights", text}
}

// someNames lists the first of many names.
func someNames(names []string) string {
	const show = 8
	list := strings.Join(names[:min(show, len(names))], ", ")
	if len(names) > show {
		list += fmt.Sprintf(" and %d more", len(names)-show)
	}
	return list
}

// ofErrata reports which faults of Landlock are mended, and what each of the others means.
func ofErrata(k *scan.Kernel) (found []finding) {
	if !k.ErrataKnown {
		return []finding{{note, "errata", "not known: this kernel does not report which fixes it has (Linux 6.15 does)"}}
	}
	var fixed []string
	for _, e := range access.Errata() {
		switch {
		case e.ABI > k.ABI:
			// What is faulty came later.
		case k.Fixed(e.Number) == access.Yes:
			fixed = append(fixed, fmt.Sprintf("%d (%s)", e.Number, e.Text))
		default:
			found = append(found, finding{note, "errata", fmt.Sprintf("%d (%s) is not fixed: %s", e.Number, e.Text, e.Without)})
		}
	}
	known := len(access.Errata())
	if newer := k.Errata >> known << known; newer != 0 {
		fixed = append(fixed, fmt.Sprintf("later ones that are not known here (%#x)", newer))
	}
	if len(fixed) > 0 {
		found = append(found, finding{ok, "errata", "fixed: " + strings.Join(fixed, ", ")})
	} else if len(found) == 0 {
		found = append(found, finding{ok, "errata", "none is known for this ABI"})
	}
	return found
}

// ofWays reports what rights of this kernel do not cover, and what closes that.
func ofWays(k *scan.Kernel) (found []finding) {
	closed := map[string]string{}
	for _, r := range access.All() {
		past := (k.Ways | k.WaysUnknown).Past(r)
		if len(past) == 0 {
			continue
		}
		does := "may"
		texts := make([]string, len(past))
		for i, w := range past {
			how, is := "tried", "not known"
			if w.Erratum != 0 {
				how = fmt.Sprintf("erratum %d", w.Erratum)
			}
			if k.Ways.Of(w, k.WaysUnknown) == access.Yes {
				does, is = "does", "open"
			} else if w.Name == "smc" {
				how, is = "not known", "not tried if that would load its module"
			}
			closed[w.Text] = w.Close
			texts[i] = fmt.Sprintf("%s (%s: %s)", w.Text, how, is)
		}
		found = append(found, finding{note, "ways past a right", fmt.Sprintf("%s %s not cover: %s", r, does, strings.Join(texts, ", "))})
	}
	for _, text := range slices.Sorted(maps.Keys(closed)) {
		found = append(found, finding{note, "ways past a right", text + " can be closed by " +
			strings.ReplaceAll(closed[text], "`", "")})
	}
	return found
}
