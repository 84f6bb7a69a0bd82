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
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// checkKernel reports what the kernel is, and what its Landlock has.
func checkKernel(h *host, say say) {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		say(ok, "kernel", "%s %s",
			unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]))
	}
	if h.kernelErr != nil {
		say(fail, "Landlock", "%s", h.kernelErr)
		return
	}
	switch k := h.kernel; k.Landlock {
	case scan.Enabled:
		say(ok, "Landlock", "enabled, ABI %d; domains nest up to %d deep", k.ABI, k.NestingLimit())
		checkRights(k, say)
		checkErrata(k, say)
		checkWays(k, say)
	case scan.Disabled:
		say(note, "Landlock", "%s: every process is unsandboxed", landlock.ErrDisabled)
	default:
		say(note, "Landlock", "%s: every process is unsandboxed", landlock.ErrNotBuilt)
	}
}

// checkRights reports which rights the kernel takes, and which of them its ABI does not
// imply.
func checkRights(k *scan.Kernel, say say) {
	promised := access.Supported(k.ABI)
	worst, text := ok, ""
	for _, s := range []struct {
		what   string
		rights access.Rights
		mark   mark
	}{
		{"refused, though its ABI has them", promised.Without(k.Rights.May), note},
		{"not known, because asking was not answered", k.Rights.Unknown(), note},
		{"beyond its ABI", k.Rights.Sure.Without(promised), ok},
	} {
		if !s.rights.Empty() {
			text += "; " + s.what + ": " + plural.First(access.Names(s.rights), 8)
			if s.mark != ok {
				worst = s.mark
			}
		}
	}
	say(worst, "rights", "%d, each asked of the kernel%s", k.Rights.Sure.Count(), text)
}

// checkErrata reports which faults of Landlock are mended, and what each of the others
// means.
func checkErrata(k *scan.Kernel, say say) {
	if !k.ErrataKnown {
		say(note, "errata", "not known: this kernel does not report which fixes it has "+
			"(Linux 6.15 does)")
		return
	}
	all, open := access.Errata(), false
	var fixed []string
	for _, e := range all {
		switch {
		case e.ABI > k.ABI:
			// What is faulty came later.
		case k.Fixed(e.Number) == access.Yes:
			fixed = append(fixed, fmt.Sprintf("%d (%s)", e.Number, e.Text))
		default:
			open = true
			say(note, "errata", "%d (%s) is not fixed: %s", e.Number, e.Text, e.Without)
		}
	}
	if newer := k.Errata >> len(all) << len(all); newer != 0 {
		fixed = append(fixed, fmt.Sprintf("later ones that are not known here (%#x)", newer))
	}
	if len(fixed) > 0 {
		say(ok, "errata", "fixed: %s", strings.Join(fixed, ", "))
	} else if !open {
		say(ok, "errata", "none is known for this ABI")
	}
}

// checkWays reports what rights of this kernel do not cover, and what closes that.
func checkWays(k *scan.Kernel, say say) {
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
		say(note, "ways past a right", "%s %s not cover: %s", r, does, strings.Join(texts, ", "))
	}
	for _, text := range slices.Sorted(maps.Keys(closed)) {
		say(note, "ways past a right", "%s can be closed by %s", text,
			strings.ReplaceAll(closed[text], "`", ""))
	}
}
