// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// longestName is what a rule's name may have, in bytes.
const longestName = 63

// unnamed stands for a name until there is one.
const unnamed = "?"

// nameAll names all rules: each by the shortest of its names that no other one has, and none of
// the used ones.
func nameAll(rules []suggestion, todos []todo, used []string) {
	type pending struct {
		names []string
		name  *string
	}
	var all []pending
	for i := range rules {
		all = append(all, pending{rules[i].names, &rules[i].name})
	}
	for i := range todos {
		if t := &todos[i]; t.name != "" {
			all = append(all, pending{t.names, &t.name})
		}
	}
	taken := map[string]bool{}
	for _, name := range used {
		taken[name] = true
	}
	for n := 0; ; n++ {
		wanted, more := map[string]int{}, false
		for _, p := range all {
			if n < len(p.names) {
				wanted[clean(p.names[n])]++
				more = true
			}
		}
		if !more {
			break
		}
		var left []pending
		for _, p := range all {
			if n >= len(p.names) {
				left = append(left, p)
				continue
			}
			name := clean(p.names[n])
			if name == "" || wanted[name] > 1 || taken[name] {
				left = append(left, p)
				continue
			}
			taken[name] = true
			*p.name = name
		}
		all = left
	}
	for _, p := range all {
		last := ""
		if len(p.names) > 0 {
			last = p.names[len(p.names)-1]
		}
		*p.name = numbered(last, taken)
	}
}

// numbered returns a name that is not taken, from text that more than one has.
func numbered(text string, taken map[string]bool) string {
	base := cmp.Or(clean(text), "rule")
	name := base
	for i := 2; taken[name]; i++ {
		suffix := fmt.Sprintf("-%d", i)
		name = strings.TrimRight(base[:min(len(base), longestName-len(suffix))], "-") + suffix
	}
	taken[name] = true
	return name
}

// clean returns what of a text can be the name of a rule.
func clean(text string) string {
	name := strings.Trim(notOfName().ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.TrimRight(name[:min(len(name), longestName)], "-")
}

var notOfName = lazyregexp.New(`[^a-z0-9_]+`)

// namesOfUnit are what people call a unit, from the shortest: as systemctl takes it, with its
// type, and with the manager.
func namesOfUnit(glob string) []string {
	name, user := strings.CutPrefix(glob, "user@*/")
	short := strings.TrimSuffix(name, path.Ext(name))
	names := []string{short, name}
	if user {
		names = []string{short, "user-" + short, "user-" + name}
	}
	return names
}

// namesOfExe are what people call a program, from the shortest.
func namesOfExe(glob string) []string { return []string{path.Base(glob), glob} }
