// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// Summary returns in a sentence or two what Landlock lets the process do as a whole: what any
// of its threads may. name makes text of others fit to print.
func (e *Explanation) Summary(name func(string) string) string {
	who := fmt.Sprintf("%d (%s)", e.Process.PID, name(e.Process.Comm.String()))
	nothing := "Landlock keeps " + who + " from nothing: "
	switch {
	case e.Snapshot.Kernel.Landlock != scan.Enabled:
		return nothing + "this kernel can sandbox nothing."
	case e.Process.State == scan.Unsandboxed:
		return nothing + "it is in no domain."
	case e.Free > 0:
		return nothing + fmt.Sprintf("of its %s, %d in no domain may do everything.",
			plural.Count(int(e.Process.NumTasks), "thread"), e.Free)
	case len(e.Sandboxes) == 0:
		return "It is not known what Landlock keeps " + who + " from."
	}
	var s summary
	if e.Snapshot.Ineffective(e.Process) == access.Yes {
		s.known = []string{"do everything that a sandbox could restrict"}
	} else {
		s.files(e, name)
		s.ports(e)
		s.outside(e)
	}
	text := "Landlock sandboxes " + who + "."
	if len(s.known) > 0 {
		text = "Landlock lets " + who + " " + listed(s.known, "and") + "."
	}
	if len(s.unknown) > 0 {
		text += " It is not known where it may " + listed(s.unknown, "or") + "."
	}
	vague := func(b Sandbox) bool { return b.Means.Doubt.Has(domainid.ClassUnknown) }
	if slices.ContainsFunc(e.Sandboxes, vague) {
		text += " A layer handles rights that are newer than this landlockd: it may let do less."
	}
	switch e.Snapshot.OutsideWorker(e.Process) {
	case access.Yes:
		text += " A worker may act outside of its domains."
	case access.Unknown:
		text += " A worker may act outside of its domains, or not."
	}
	return text
}

// summary are the parts of the sentences: what a process may do, with where, and what of which
// that is not known.
type summary struct{ known, unknown []string }

// making are the rights to make and remove what is no file that is linked from elsewhere.
var making = []string{
	"fs.remove_dir", "fs.remove_file", "fs.make_char", "fs.make_dir", "fs.make_reg", "fs.make_sock",
	"fs.make_fifo", "fs.make_block", "fs.make_sym",
}

// files adds what may be done with files. What may be done in the same places stands together.
func (s *summary) files(e *Explanation, name func(string) string) {
	type group struct {
		where string
		verbs []string
	}
	var groups []*group
	last := ""
	for _, c := range [...]struct {
		verb   string
		rights []string
		// follows: it is not named where the verb before it holds in the same places.
		follows bool
	}{
		{"read", []string{"fs.read_file"}, false},
		{"list directories", []string{"fs.read_dir"}, true},
		{"execute", []string{"fs.execute"}, false},
		{"write", []string{"fs.write_file"}, false},
		{"truncate", []string{"fs.truncate"}, true},
		{"make or remove files", making, false},
	} {
		where, alike := e.together(c.rights, name)
		if !alike {
			c.verb = strings.Replace(c.verb, " files", " some kinds of files", 1)
		}
		if c.follows && where == last {
			continue
		}
		last = where
		if where == "" {
			s.unknown = append(s.unknown, c.verb)
			continue
		}
		same := func(g *group) bool { return g.where == where }
		if i := slices.IndexFunc(groups, same); i >= 0 {
			groups[i].verbs = append(groups[i].verbs, c.verb)
		} else {
			groups = append(groups, &group{where, []string{c.verb}})
		}
	}
	for _, g := range groups {
		s.known = append(s.known, listed(g.verbs, "and")+" "+g.where)
	}
}

// together returns in words where some of several rights to files are granted, empty if that is
// not known, and whether all are granted alike.
func (e *Explanation) together(rights []string, name func(string) string) (where string, alike bool) {
	all := e.extentOf(rights...)
	where = all.files(name)
	differs := func(right string) bool {
		x := e.extentOf(right)
		return x.files(name) != where
	}
	alike = !slices.ContainsFunc(rights, differs)
	if all.effect == domainid.EffectUnknown {
		where = ""
	}
	return where, alike
}

// ports adds which ports may be used.
func (s *summary) ports(e *Explanation) {
	var whole [2]string // which ports may be used, where that is the same to bind and to connect to
	protocols := [...]string{"TCP", "UDP"}
	for i, rights := range [...][2]string{
		{"net.bind_tcp", "net.connect_tcp"}, {"net.bind_udp", "net.connect_send_udp"},
	} {
		bind, connect := e.extentOf(rights[0]), e.extentOf(rights[1])
		b, c := bind.ofPorts(), connect.ofPorts()
		if b == c && bind.effect != domainid.EffectUnknown && connect.effect != domainid.EffectUnknown {
			whole[i] = b
			continue
		}
		for _, part := range [...]struct {
			verb  string
			ports string
			*extent
		}{{"bind ", b, &bind}, {"connect to ", c, &connect}} {
			if part.effect == domainid.EffectUnknown {
				s.unknown = append(s.unknown, part.verb+protocols[i]+" ports")
			} else {
				s.known = append(s.known, part.verb+fmt.Sprintf(part.ports, protocols[i]))
			}
		}
	}
	if whole[0] == whole[1] && whole[0] != "" {
		protocols[0], whole[1] = "TCP or UDP", ""
	}
	for i, ports := range whole {
		if ports != "" {
			s.known = append(s.known, "use "+fmt.Sprintf(ports, protocols[i]))
		}
	}
}

// outside adds what may be done to processes outside of the domains.
func (s *summary) outside(e *Explanation) {
	path, abstract := e.extentOf(resolveUnix), e.extentOf(abstractUnix)
	const everywhere, nowhere = domainid.Everywhere, domainid.Nowhere
	switch {
	case path.effect == everywhere && abstract.effect == everywhere:
		s.known = append(s.known, "connect to any Unix socket")
	case path.effect == domainid.EffectUnknown || abstract.effect == domainid.EffectUnknown:
		s.unknown = append(s.unknown, "connect to Unix sockets outside")
	case path.effect == nowhere && abstract.effect == nowhere:
		s.known = append(s.known, "connect to no Unix socket outside"+abstract.but())
	case path.effect == everywhere && abstract.effect == nowhere:
		s.known = append(s.known, "connect to Unix sockets that have a path"+abstract.but())
	default:
		s.known = append(s.known, "connect to some Unix sockets outside")
	}
	switch signal := e.extentOf("scope.signal"); signal.effect {
	case everywhere:
		s.known = append(s.known, "signal anybody")
	case nowhere:
		s.known = append(s.known, "signal nobody outside"+signal.but())
	default:
		s.unknown = append(s.unknown, "signal")
	}
}
