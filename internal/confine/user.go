// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"errors"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	defaultUser = "landlockd"
	// nobody is the user that owns nothing, on every distribution.
	nobody = 65534
)

// User returns the user and group that the second stage is to run as: the user of a
// name or number, or if that is empty landlockd, if there is such a user, else nobody.
//
// They are -1 if the stage stays what this process is, which is so unless that is
// root. Root that may not change its user (a container of Kubernetes has the
// capabilities of its manifest alone) stays root unless another user is asked for: the
// second stage then reports that it is not confined by its user.
func User(name string) (uid, gid int, err error) {
	if os.Geteuid() != 0 {
		if name != "" {
			return 0, 0, errors.New("only root can change to another user")
		}
		return -1, -1, nil
	}
	wanted := name
	if name == "" {
		if !Effective(unix.CAP_SETUID) || !Effective(unix.CAP_SETGID) {
			return -1, -1, nil
		}
		wanted = defaultUser
	}
	u, err := user.Lookup(wanted)
	if err != nil {
		u, err = user.LookupId(wanted)
	}
	switch {
	case err == nil:
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		return uid, gid, errors.Join(err1, err2)
	case name == "":
		return nobody, nobody, nil
	default:
		return 0, 0, errors.New("no such user on this host")
	}
}

// Permitted reports whether the calling thread may have a capability in effect.
func Permitted(capability int) bool {
	data, err := capabilities()
	return err == nil && data[capability/32].Permitted>>(capability%32)&1 != 0
}

// Effective reports whether the calling thread has a capability in effect. If that is
// not known, it does: what needs the capability will show.
func Effective(capability int) bool {
	data, err := capabilities()
	return err != nil || data[capability/32].Effective>>(capability%32)&1 != 0
}

func capabilities() (data [2]unix.CapUserData, err error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	err = unix.Capget(&hdr, &data[0])
	return data, err
}
