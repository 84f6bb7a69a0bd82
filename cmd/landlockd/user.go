// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
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

// servingUser returns the user and group that the serving stage runs as; -1 if
// it stays what this process is, which is so unless that is root. Root that may
// not change its user (a container of Kubernetes has the capabilities of its
// manifest alone) stays root unless --user asks for another: the serving stage
// then reports that it is not confined by its user.
func (s *settings) servingUser() (uid, gid int, err error) {
	if os.Geteuid() == 0 && s.user == "" && !mayChangeUser() {
		return -1, -1, nil
	}
	if os.Geteuid() != 0 {
		if s.user != "" {
			return 0, 0, usageError{errors.New("--user: only root can change to another user")}
		}
		return -1, -1, nil
	}
	name := s.user
	if name == "" {
		name = defaultUser
	}
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	switch {
	case err == nil:
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		return uid, gid, errors.Join(err1, err2)
	case s.user == "":
		return nobody, nobody, nil
	default:
		return 0, 0, usageError{fmt.Errorf("--user %q: no such user on this host", s.user)}
	}
}

// mayChangeUser reports whether this process has the capabilities to change its
// user and its groups.
func mayChangeUser() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return true // the attempt fails with what is missing
	}
	const needed = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID
	return data[0].Effective&needed == needed
}
