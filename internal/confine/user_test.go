// SPDX-License-Identifier: Apache-2.0

package confine

import (
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
	uid, gid, err := User("")
	wantUID, wantGID := nobody, nobody
	if u, lookupErr := user.Lookup(defaultUser); lookupErr == nil {
		wantUID, _ = strconv.Atoi(u.Uid)
		wantGID, _ = strconv.Atoi(u.Gid)
	}
	if err != nil || uid != wantUID || gid != wantGID {
		t.Errorf("%d, %d, %v; want %d, %d", uid, gid, err, wantUID, wantGID)
	}
	for _, name := range []string{"root", "0"} {
		if uid, gid, err := User(name); err != nil || uid != 0 || gid != 0 {
			t.Errorf("%s: %d, %d, %v", name, uid, gid, err)
		}
	}
	for _, name := range []string{"no-such-user", "4000000000", "-1", "root\n", " "} {
		_, _, err := User(name)
		if err == nil {
			t.Errorf("%q is a user", name)
		}
	}
}

func testServingUserUnprivileged(t *testing.T) {
	if uid, gid, err := User(""); err != nil || uid != -1 || gid != -1 {
		t.Errorf("%d, %d, %v", uid, gid, err)
	}
	_, _, err := User("nobody")
	if err == nil {
		t.Error("another user without root")
	}
}
