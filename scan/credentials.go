// SPDX-License-Identifier: Apache-2.0

package scan

// Credentials are what decides at whom a process may look, and who may look at it
// (PTRACE_MODE_READ of ptrace(2)). The zero value, of what is not known, allows nothing. Only
// the task iterator shows them: of procattr they are zero.
type Credentials struct {
	// GID is the effective group ID in the initial user namespace.
	GID uint32
	// Owner is the user who made the outermost user namespace, other than the initial
	// one, that the process is in; 0 if root did, or there is none.
	Owner uint32
	// OneID: each of its tasks has Process.UID as its real, effective, saved and filesystem
	// user ID, and GID as its group IDs.
	OneID bool
	// NoCaps: no capability is permitted to any of its tasks.
	NoCaps bool
	// SysPtrace: each of its tasks has CAP_SYS_PTRACE in effect in Process.UserNS.
	SysPtrace bool
	// Dumpable: its memory may be looked at by whoever has its credentials.
	Dumpable bool
}

// MayLook reports whether a process may look at another one, as far as the credentials of both
// decide that; Landlock and other security modules are left out. True only where the kernel
// allows it.
func (p *Process) MayLook(at *Process) bool {
	c, to := &p.Credentials, &at.Credentials
	switch {
	case p.MayLookAtAll():
		return true
	case !to.Dumpable:
		return false
	case p.UserNS != at.UserNS || p.UserNS == 0:
		// Whoever made a user namespace has all capabilities in it, and in those inside it.
		return p.UserNS == InitUserNS && c.OneID && to.Owner != 0 && to.Owner == p.UID
	case c.SysPtrace:
		return true
	default:
		return c.OneID && to.OneID && to.NoCaps && p.UID == at.UID && c.GID == to.GID
	}
}

// MayLookAtAll reports whether a process may look at every other one of the host, as far as
// credentials decide that.
func (p *Process) MayLookAtAll() bool {
	return p.Credentials.SysPtrace && p.UserNS == InitUserNS
}
