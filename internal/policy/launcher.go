// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// launchers are programs that execute what they launch in their own place, so that
// no process stays with their path. Those that can stay beside it (unshare, setsid,
// sudo, minijail0, bwrap, firejail, systemd-run) are left out. It is never written.
var launchers = [...]string{
	"capsh", "choom", "chpst", "chroot", "chrt", "coresched", "env", "envdir", "envuidgid",
	"gosu", "ionice", "landlock-restrict", "landrun", "linux32", "linux64", "nice", "nohup",
	"numactl", "pgrphack", "prlimit", "runcon", "s6-applyuidgid", "s6-envdir", "s6-envuidgid",
	"s6-setsid", "s6-setuidgid", "s6-softlimit", "setarch", "setpriv", "setuidgid",
	"softlimit", "stdbuf", "su-exec", "taskset", "uclampset",
}

// launcher returns the name of the launcher that every path that matches is one of;
// empty if there is none.
func (p *Pattern) launcher() string {
	name := p.text[strings.LastIndexByte(p.text, '/')+1:]
	if p.re == nil && slices.Contains(launchers[:], name) {
		return name
	}
	return ""
}
