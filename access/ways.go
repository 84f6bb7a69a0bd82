// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"slices"
	"strings"
)

// Ways is a set of ways to do what a right is about that the right does not
// cover, one bit for each row of the table of ways. A bit that stood for a way once
// stands for no other: recorded snapshots have it.
type Ways uint32

// Way is one of them: a kernel that restricts the right does not restrict this.
// Which kernels are like that differs, and is found out by trying.
type Way struct {
	// Name is a short stable name, "mptcp"; no two ways past one right have the
	// same.
	Name string
	// Right is the right that a sandbox may restrict without closing this way.
	Right Right
	// Text is what people call it, "MPTCP": what follows "by".
	Text string
	// Reason is the sentence on why the right does not cover it.
	Reason string
	// Close is what an administrator can do to close it, as the end of a sentence.
	// Ways with the same name are closed alike.
	Close string
	// Issue is the number of the issue of the Landlock project (landlock-lsm/linux)
	// that is about it, or 0.
	Issue int
	// Erratum is the number of the erratum whose fix closes it, or 0. A way that has
	// one is open where the kernel lacks the fix; any other is tried.
	Erratum int

	bit uint8
}

func (w Way) String() string { return w.Right.Name + " by " + w.Name }

// Ways returns the set of this way alone.
func (w Way) Ways() Ways { return 1 << w.bit }

// AllWays returns every way, by right.
func AllWays() []Way { return slices.Clone(ways[:]) }

// LookupWay returns the way past a right that has a name.
func LookupWay(right Right, name string) (Way, bool) {
	for _, w := range ways {
		if w.Right == right && w.Name == name {
			return w, true
		}
	}
	return Way{}, false
}

// All returns the ways of the set, by right.
func (s Ways) All() []Way { return s.which(func(Way) bool { return true }) }

// Past returns those that are ways past a right.
func (s Ways) Past(r Right) []Way { return s.which(func(w Way) bool { return w.Right == r }) }

// Has reports whether all ways of o are in the set.
func (s Ways) Has(o Ways) bool { return s&o == o }

// Of reports whether a way is open: those in s are, and those in unknown may be.
func (s Ways) Of(w Way, unknown Ways) Answer {
	return Between(s.Has(w.Ways()), unknown.Has(w.Ways()))
}

func (s Ways) which(keep func(Way) bool) []Way {
	var found []Way
	for _, w := range ways {
		if s.Has(w.Ways()) && keep(w) {
			found = append(found, w)
		}
	}
	return found
}

// WaysText lists what people call some ways, "MPTCP and Fast Open"; it is empty
// if there are none.
func WaysText(list []Way) string {
	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = w.Text
	}
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return fmt.Sprintf("%s and %s", strings.Join(texts[:last], ", "), texts[last])
}

const (
	closeMPTCP = "a seccomp filter that denies socket(2) with IPPROTO_MPTCP, or " +
		"`net.mptcp.enabled=0` in its network namespace"
	closeSMC = "a seccomp filter that denies socket(2) with AF_SMC (`RestrictAddressFamilies=` " +
		"of systemd) and with IPPROTO_SMC, or a module that cannot be loaded"
	closeListen   = "a seccomp filter that denies listen(2)"
	closeFastOpen = "a seccomp filter that denies MSG_FASTOPEN to sendto(2), sendmsg(2) and " +
		"sendmmsg(2), or `net.ipv4.tcp_fastopen=0` in its network namespace"
)

// ways has every way, by right. It is never written. Sources: the named issues of
// landlock-lsm/linux, security/landlock/net.c and security/landlock/errata.
var ways = [...]Way{
	{
		bit: 0, Name: "disconnected_directory", Right: right("fs.refer"), Erratum: 3,
		Text: "directories that were moved out of a bind mount",
		Reason: "A file below such a directory can be renamed or linked to where more is " +
			"allowed: the rules above its mount are not all asked.",
		Close: "a kernel that has the fix of erratum 3",
	},
	{
		bit: 1, Name: "mptcp", Text: "MPTCP", Right: right("net.bind_tcp"), Issue: 54,
		Reason: "A socket of IPPROTO_MPTCP is no TCP socket to Landlock, but it takes a TCP " +
			"port and serves plain TCP too.",
		Close: closeMPTCP,
	},
	{
		bit: 5, Name: "smc", Text: "SMC", Right: right("net.bind_tcp"), Issue: 40,
		Reason: "A socket of AF_SMC is no TCP socket to Landlock, but it takes a TCP port and " +
			"serves plain TCP too.",
		Close: closeSMC,
	},
	{
		bit: 2, Name: "listen", Right: right("net.bind_tcp"), Issue: 15,
		Text: "listening without bind(2)",
		Reason: "listen(2) on a socket that is not bound takes a TCP port that the kernel " +
			"chooses, and only bind(2) is checked.",
		Close: closeListen,
	},
	{
		bit: 3, Name: "mptcp", Text: "MPTCP", Right: right("net.connect_tcp"), Issue: 54,
		Reason: "A socket of IPPROTO_MPTCP is no TCP socket to Landlock, but it connects to " +
			"plain TCP servers too.",
		Close: closeMPTCP,
	},
	{
		bit: 6, Name: "smc", Text: "SMC", Right: right("net.connect_tcp"), Issue: 40,
		Reason: "A socket of AF_SMC is no TCP socket to Landlock, but it connects to plain TCP " +
			"servers too.",
		Close: closeSMC,
	},
	{
		bit: 4, Name: "tcp_fast_open", Text: "Fast Open", Right: right("net.connect_tcp"), Issue: 41,
		Reason: "sendto(2) or sendmsg(2) with MSG_FASTOPEN connects a TCP socket, and only " +
			"connect(2) is checked.",
		Close: closeFastOpen,
	},
}

// right returns the right of a name that the table has.
func right(name string) Right {
	r, ok := Lookup(name)
	if !ok {
		panic("no right " + name)
	}
	return r
}
