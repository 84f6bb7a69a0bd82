// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"testing"
)

func TestServingUser(t *testing.T) {
	if os.Geteuid() != 0 {
		testServingUserUnprivileged(t)
		return
	}
	uid, gid, err := (&settings{}).servingUser()
	wantUID, wantGID := nobody, nobody
	if u, lookupErr := user.Lookup(defaultUser); lookupErr == nil {
		wantUID, _ = strconv.Atoi(u.Uid)
		wantGID, _ = strconv.Atoi(u.Gid)
	}
	if err != nil || uid != wantUID || gid != wantGID {
		t.Errorf("%d, %d, %v; want %d, %d", uid, gid, err, wantUID, wantGID)
	}
	for _, name := range []string{"root", "0"} {
		if uid, gid, err := (&settings{user: name}).servingUser(); err != nil || uid != 0 || gid != 0 {
			t.Errorf("%s: %d, %d, %v", name, uid, gid, err)
		}
	}
	for _, name := range []string{"no-such-user", "4000000000", "-1", "root\n", " "} {
		_, _, err := (&settings{user: name}).servingUser()
		var usage usageError
		if !errors.As(err, &usage) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func testServingUserUnprivileged(t *testing.T) {
	if uid, gid, err := (&settings{}).servingUser(); err != nil || uid != -1 || gid != -1 {
		t.Errorf("%d, %d, %v", uid, gid, err)
	}
	_, _, err := (&settings{user: "nobody"}).servingUser()
	var usage usageError
	if !errors.As(err, &usage) {
		t.Errorf("--user without root: %v", err)
	}
}
