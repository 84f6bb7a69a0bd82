// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// attrCurrent: the attributes of other modules are what they would be without
// ours. The argument "current" names the module that must answer for
// /proc/self/attr/current, or is "none".
func attrCurrent(t *T) {
	module := t.Arg("current", "none")
	a := readAttribute("self/attr/current")
	t.Fact("current", a)
	if module == "none" {
		if errnoOf(a.err) != unix.EINVAL {
			t.Errorf("attr/current: %v, want EINVAL: no module has labels", a)
		}
		return
	}
	if !slices.Contains(modules(), module) {
		t.Fatalf("%s is not among the enabled modules %v", module, modules())
	}
	want := map[string]string{"apparmor": "unconfined", "selinux": "kernel"}[module]
	if a.err != nil || strings.TrimRight(a.text, "\n\x00") != want {
		t.Errorf("attr/current: %v, want %q, from %s", a, want, module)
	}
	if module == "apparmor" {
		if b := readAttribute("self/attr/apparmor/current"); b != a {
			t.Errorf("attr/apparmor/current: %v, but attr/current: %v", b, a)
		}
		// Writes go to it too, which refuses this one.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := os.WriteFile("/proc/thread-self/attr/current", []byte("nonsense"), 0); errnoOf(err) != unix.EINVAL {
			t.Errorf("a wrong write to attr/current: %v, want EINVAL", err)
		}
	}
	if module == "selinux" {
		if b := readAttribute("self/attr/fscreate"); b.err != nil {
			t.Errorf("attr/fscreate: %v", b)
		}
	}
}

// checkAttrOff: with Landlock off there is no directory, and nothing else is
// different.
func checkAttrOff(t *T) {
	if slices.Contains(modules(), "landlock") {
		t.Fatalf("landlock is among the enabled modules %v", modules())
	}
	for _, pid := range []int{1, os.Getpid()} {
		if hasLandlockDir(t, pid) {
			t.Errorf("/proc/%d/attr/landlock is there, though Landlock is off", pid)
		}
	}
	if a := domainOf(1); errnoOf(a.err) != unix.ENOENT {
		t.Errorf("attr/landlock/domain: %v, want ENOENT", a)
	}
	attrCurrent(t)
}
