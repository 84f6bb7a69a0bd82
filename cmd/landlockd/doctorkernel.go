// SPDX-License-Identifier: Apache-2.0

package main

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

// probe asks the kernel, and returns what is known of it; nil if that failed.
func (f *findings) probe(sysfs string) *scan.Kernel {
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		f.add(markOK, "kernel", unix.ByteSliceToString(u.Release[:])+" "+unix.ByteSliceToString(u.Machine[:]))
	}
	k, err := landlock.Probe(sysfs)
	if err != nil {
		f.add(markFail, "Landlock", err.Error())
		return nil
	}
	f.kernel(k)
	return &k
}

func (f *findings) kernel(k scan.Kernel) {
	switch k.Landlock {
	case scan.Enabled:
		f.add(markOK, "Landlock", fmt.Sprintf("enabled, ABI %d; domains nest up to %d deep", k.ABI, k.NestingLimit()))
		f.rights(k)
		f.errata(k)
		f.ways(k)
	case scan.Disabled:
		f.add(markNote, "Landlock", landlock.ErrDisabled.Error()+": every process is unsandboxed")
	default:
		f.add(markNote, "Landlock", landlock.ErrNotBuilt.Error()+": every process is unsandboxed")
	}
}

// rights reports which rights the kernel takes, and which of them its ABI does not
// imply.
func (f *findings) rights(k scan.Kernel) {
	promised := access.Supported(k.ABI)
	mark, text := markOK, fmt.Sprintf("%d, each asked of the kernel", k.Rights.Sure.Count())
	for _, s := range []struct {
		what   string
		rights access.Rights
	}{
		{"refused, though its ABI has them", promised.Without(k.Rights.May)},
		{"not known, because asking was not answered", k.Rights.Unknown()},
	} {
		if !s.rights.Empty() {
			mark, text = markNote, text+"; "+s.what+": "+someNames(access.Names(s.rights))
		}
	}
	if newer := k.Rights.Sure.Without(promised); !newer.Empty() {
		text += "; beyond its ABI: " + someNames(access.Names(newer))
	}
	f.add(mark, "rights", text)
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

// errata reports which faults of Landlock are mended, and what each of the others means.
func (f *findings) errata(k scan.Kernel) {
	if !k.ErrataKnown {
		f.add(markNote, "errata", "not known: this kernel does not say which fixes it has (Linux 6.15 does)")
		return
	}
	var fixed []string
	missing := 0
	for _, e := range access.Errata() {
		switch {
		case e.ABI > k.ABI:
			// What is faulty came later.
		case k.Fixed(e.Number) == access.Yes:
			fixed = append(fixed, fmt.Sprintf("%d (%s)", e.Number, e.Text))
		default:
			missing++
			f.add(markNote, "errata", fmt.Sprintf("%d (%s) is not fixed: %s", e.Number, e.Text, e.Without))
		}
	}
	known := len(access.Errata())
	if newer := k.Errata >> known << known; newer != 0 {
		fixed = append(fixed, fmt.Sprintf("later ones that are not known here (%#x)", newer))
	}
	if len(fixed) > 0 {
		f.add(markOK, "errata", "fixed: "+strings.Join(fixed, ", "))
	} else if missing == 0 {
		f.add(markOK, "errata", "none is known for this ABI")
	}
}

// ways reports what rights of this kernel do not cover, and what closes that.
func (f *findings) ways(k scan.Kernel) {
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
		f.add(markNote, "ways past a right", fmt.Sprintf("%s %s not cover: %s", r, does, strings.Join(texts, ", ")))
	}
	for _, text := range slices.Sorted(maps.Keys(closed)) {
		f.add(markNote, "ways past a right", text+" can be closed by "+
			strings.ReplaceAll(closed[text], "`", ""))
	}
}

// withoutLandlock reports how processes are found where none can be sandboxed.
func (f *findings) withoutLandlock(err error) {
	if err != nil {
		f.add(markFail, "processes", err.Error())
		return
	}
	f.add(markOK, "processes", "are found in procfs where the task iterator does not load; that needs no privilege, "+
		"but with CAP_SYS_PTRACE more is told of others' processes")
}
