// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
)

// notConfined is the reason of every scan of a daemon that is to be confined and is not.
const notConfined = "not_confined"

// settle decides what a serving stage does in its state. One that lacks what it must have
// serves that fact and nothing else: one query over the fleet then shows more than many
// crash loops. That is everything with [Require]; and always that it has no capability
// and can gain none. With a capability and no filter of system calls it does not serve.
func (d *Daemon) settle(filtered bool) error {
	failures := d.status.Failures()
	if len(failures) == 0 {
		return nil
	}
	lacks := func(m confine.Mechanism) bool {
		return slices.ContainsFunc(failures, func(f confine.Failure) bool { return f.Mechanism == m })
	}
	switch privileged := lacks(confine.Capabilities); {
	case privileged && !filtered:
		return fmt.Errorf("not confined by %s: with capabilities and without a filter of system "+
			"calls nothing is served", failureWords(failures))
	case privileged, lacks(confine.NoNewPrivs), d.o.Confine == Require:
		d.scanNothing(failures)
	default:
		d.o.Logger.Warn("Not confined in every way", "missing", failureWords(failures))
	}
	return nil
}

// scanNothing gives up all that the stage was handed but its sockets for metrics.
func (d *Daemon) scanNothing(failures []confine.Failure) {
	listeners := d.listeners
	d.listeners = nil
	d.close()
	if d.found.Remote != nil {
		_ = d.found.Remote.Close() // the process that reads the attribute ends
		d.readerGone = nil
	}
	tried := map[string]string{}
	for source := range d.found.Tried {
		tried[source] = notConfined
	}
	advice := make([]string, len(failures))
	for i, f := range failures {
		advice[i] = fmt.Sprintf("%s: %s", f.Mechanism, adviceFor(f))
	}
	d.opened = &opened{
		goal: d.goal, config: d.config, notify: d.notify, watchdog: d.watchdog, listeners: listeners,
		found: sources.Found{Tried: tried, Failure: &scan.Error{
			Reason: notConfined, Missing: "not confined by " + failureWords(failures),
			Hint: strings.Join(advice, "; "),
		}},
	}
	d.refused = failures
	d.o.Denials, d.o.Web.DisableExporterMetrics = false, true
	d.o.Web.Unready = "landlockd is not ready: it is not confined as it has to be, and scans nothing.\n" +
		strings.Join(advice, "\n") + "\nThen restart it. With --confine=best-effort it serves " +
		"without, unless it has capabilities, or can gain some.\n"
}

// failureWords lists failures for people.
func failureWords(failures []confine.Failure) string {
	words := make([]string, len(failures))
	for i, f := range failures {
		words[i] = fmt.Sprintf("%s (%s)", f.Mechanism, f.Reason)
	}
	return strings.Join(words, ", ")
}

// adviceFor returns what a person can do about a failure.
func adviceFor(f confine.Failure) string {
	switch f.Reason {
	case confine.Refused:
		return "a system call was refused: look for a seccomp filter around landlockd, a security " +
			"module or a sysctl; landlockd's log has the call"
	case confine.Unsupported:
		return "this kernel, or a filter around landlockd, does not have it; landlockd doctor " +
			"shows more"
	case confine.TooManyLayers:
		return "start landlockd outside of Landlock domains; a process can be in 16 at most"
	case confine.Root:
		return "let it change to another user (--user, CAP_SETUID and CAP_SETGID), or start it as " +
			"one that is not root"
	case confine.Unread:
		return "it could not be read back; landlockd needs procfs at /proc"
	default:
		return "it is not so although no step failed; please report that, with landlockd's log"
	}
}
