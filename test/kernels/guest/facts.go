// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// release returns the running kernel's release.
func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// modules returns the enabled security modules in their order; nil if that
// cannot be read.
func modules() []string {
	b, err := os.ReadFile("/sys/kernel/security/lsm")
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(b)), ",")
}

// firstLine returns the first line of a small file, or the error's text.
func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	s, _, _ := strings.Cut(string(b), "\n")
	return s
}
