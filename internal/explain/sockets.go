// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// Sockets are the Unix sockets outside of a process's domains that take connections or
// datagrams, as far as it could reach them.
type Sockets struct {
	// Reachable are those that it could connect to, as far as is decided.
	Reachable []Socket
	// Listening is the number of sockets that were looked at: of what
	// is left, each is inside, or kept away by what Kept counts.
	Listening, Inside int
	Kept              Kept
	// Gaps are what could not be looked at or is not decided, in words.
	Gaps []string
}

// Kept counts sockets outside that the process cannot connect to, by the first
// reason: a layer, that no such path leads to it, permissions.
type Kept struct {
	Landlock   int `json:"landlock"`
	Path       int `json:"path"`
	Permission int `json:"permission"`
}

// Socket is one Unix socket.
type Socket struct {
	// Name is the path as it was bound, or the name without the NUL in front if
	// it is Abstract; untrusted.
	Name     string
	Abstract bool
	// Datagram: it takes datagrams, and no connections.
	Datagram bool
	// Holders are the PIDs of processes of the snapshot that have it open and
	// are outside.
	Holders []int32
	// Doubt is why it may be out of reach after all, in words. Empty if all
	// that is looked at lets the process reach it.
	Doubt string
}

func (t *textWriter) sockets(s *Sockets) {
	if len(t.e.Sandboxes) == 0 {
		t.line("\nUnix sockets: it is in no domain, so that none is outside.")
		return
	}
	t.line("\nUnix sockets outside that it could reach, and who may act for it then:")
	for i := range s.Reachable {
		t.socket(&s.Reachable[i])
	}
	if len(s.Reachable) == 0 {
		t.line("  none")
	}
	t.line("  Of %s, %d inside its domains, %d kept away by Landlock, %d not found by their path, "+
		"%d by permissions.", plural.Count(s.Listening, "socket"), s.Inside,
		s.Kept.Landlock, s.Kept.Path, s.Kept.Permission)
	t.line("  Not decided: what other security modules, seccomp filters and the listeners " +
		"themselves refuse, and what is mounted elsewhere for it.")
	for _, gap := range s.Gaps {
		t.line("  Not decided: %s.", plain(gap))
	}
}

func (t *textWriter) socket(k *Socket) {
	name := t.escape(k.Name)
	if k.Abstract {
		name = "abstract " + name
	}
	if k.Datagram {
		name += " (datagrams)"
	}
	holders := some(k.Holders, maxHolders, t.holder)
	if len(holders) == 0 {
		holders = []string{"nobody who can be seen"}
	}
	text := fmt.Sprintf("  - %s: %s", name, strings.Join(holders, "; "))
	if k.Doubt != "" {
		text += " (" + plain(k.Doubt) + ")"
	}
	t.line("%s", text)
}

// maxHolders is how many processes text has of one socket.
const maxHolders = 4

func (t *textWriter) holder(pid int32) string {
	p := t.e.Snapshot.Find(pid)
	if p == nil {
		return fmt.Sprint(pid)
	}
	text := fmt.Sprintf("%d %s, user %d, %s", pid, t.escape(p.Comm.String()), p.UID, p.State)
	if w := t.e.Snapshot.WorkloadOf(p); w != nil {
		text += ", " + t.escape(w.FullName)
	}
	return text
}

// Inside reports whether all tasks of a process are in one of the domains, or in
// domains nested in one.
func Inside(s *scan.Snapshot, p *scan.Process, domains []int32) bool {
	within := map[int32]bool{}
	for _, d := range domains {
		within[d] = true
	}
	return !slices.ContainsFunc(s.TasksOf(p), func(t scan.Task) bool {
		chain := slices.Collect(domainid.Chain(s.Domains, t.Domain))
		return t.State != scan.Sandboxed ||
			!slices.ContainsFunc(chain, func(d int32) bool { return within[d] })
	})
}

// Above returns the domains that a task in one domain has and a task in another
// does not: the layers that restrict what the former does to the latter. other is
// domainid.Outermost for a task that is in none.
func Above(s *scan.Snapshot, domain, other int32) []int32 {
	theirs := slices.Collect(domainid.Chain(s.Domains, other))
	var above []int32
	for d := range domainid.Chain(s.Domains, domain) {
		if slices.Contains(theirs, d) {
			break
		}
		above = append(above, d)
	}
	return above
}
