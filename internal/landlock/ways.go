// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/scan"
)

// waysTime bounds how long all trials may take together. On loopback a connection
// stands within microseconds: what takes so long does not come, on a busy host too.
const waysTime = time.Second

// ways finds out which ways past a right are open on a kernel whose rights and errata
// are known. There is none past a right that the kernel does not have.
func ways(k scan.Kernel) (open, unknown access.Ways) {
	var rights access.Rights
	for _, w := range access.AllWays() {
		if w.Erratum == 0 && w.Right.In(k.Rights.Sure) {
			rights = rights.Union(w.Right.Rights())
		}
	}
	tried := tryWays(rights)
	for _, w := range access.AllWays() {
		is := tried[w.Ways()] // of what was not tried, unknown
		if w.Erratum != 0 {
			is = k.Fixed(w.Erratum).Not()
		}
		switch is.And(k.Rights.Of(w.Right)) {
		case access.Yes:
			open |= w.Ways()
		case access.Unknown:
			unknown |= w.Ways()
		}
	}
	return open, unknown
}

// tryWays tries each way past some rights, in threads of its own: first in no new
// domain, then in one that handles the rights and has no rule. Ways that it did not
// try are not in the result.
func tryWays(rights access.Rights) map[access.Ways]access.Answer {
	if rights.Empty() {
		return nil
	}
	found := map[access.Ways]access.Answer{}
	g, err := newGround(waysTime)
	if err != nil {
		return found
	}
	defer g.close()
	outside := tryAll(g, rights, func() error { return nil })
	inside := tryAll(g, rights, func() error { return enter(rights) })
	for _, t := range trials() {
		if t.right.In(rights) && t.way != 0 {
			plain := trial{right: t.right}.key()
			found[t.way] = judge(outside[t.key()], inside[plain], inside[t.key()])
		}
	}
	return found
}

// judge reports whether a way is open: from what trying it came to outside of a
// domain that handles the right, and what the plain way and this one came to inside.
func judge(control, plain, tried error) access.Answer {
	switch {
	case errors.Is(control, unix.EPROTONOSUPPORT):
		return access.No // this kernel was built without it
	case control != nil:
		// Switched off (net.mptcp.enabled, net.ipv4.tcp_fastopen) in this network
		// namespace, of which a host has many; or forbidden to this process; or
		// there is no loopback.
		return access.Unknown
	case !errors.Is(plain, unix.EACCES):
		return access.Unknown // the domain does not do what it is for
	case tried == nil:
		return access.Yes
	case errors.Is(tried, unix.EACCES):
		return access.No
	default:
		return access.Unknown
	}
}

// enter puts the calling thread in a domain that handles some rights.
func enter(rights access.Rights) error {
	fd, err := CreateRuleset(rights)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := NoNewPrivs(); err != nil {
		return err
	}
	return restrictThreadQuietly(fd)
}

// errNotTried stands for what a trial came to that could not be made.
var errNotTried = errors.New("not tried")

// tryAll makes the trials of some rights in a thread that has been prepared, and returns
// what they came to; nil is success.
func tryAll(g *ground, rights access.Rights, prepare func() error) map[trialKey]error {
	came := map[trialKey]error{}
	thread.Run(func() {
		prepared := prepare()
		for _, t := range trials() {
			switch {
			case prepared != nil:
				came[t.key()] = errNotTried
			case t.right.In(rights):
				came[t.key()] = t.do(g)
			}
		}
	})()
	return came
}
