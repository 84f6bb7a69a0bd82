// SPDX-License-Identifier: Apache-2.0

package cpio

import (
	"bytes"
	"strings"
	"testing"
)

func TestLayout(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Dir("dev", 0o755)
	w.CharDevice("dev/console", 0o600, 5, 1)
	w.File(0o755, []byte("hello"), "init", "in")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const inode = "07070100000003000081ED00000000000000000000000200000000"
	want := "07070100000001000041ED0000000000000000000000020000000000000000" +
		"00000000000000000000000000000000000000040000000" + "0dev\x00\x00\x00" +
		"0707010000000200002180000000000000000000000001000000000000000000000000" +
		"0000000000000005000000010000000C00000000dev/console\x00\x00\x00" +
		inode + "0000000500000000000000000000000000000000000000050000000" + "0init\x00\x00hello\x00\x00\x00" +
		inode + "0000000000000000000000000000000000000000000000030000000" + "0in\x00\x00\x00\x00" +
		"07070100000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000B00000000" +
		"TRAILER!!!\x00\x00\x00\x00"
	got := b.String()
	if len(got)%4 != 0 {
		t.Errorf("length %d is not a multiple of 4", len(got))
	}
	// The trailer's inode number does not matter.
	i := strings.LastIndex(got, "070701")
	got = got[:i+6] + "00000000" + got[i+14:]
	if got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestRefusesAbsoluteNames(t *testing.T) {
	w := NewWriter(&bytes.Buffer{})
	w.Dir("/dev", 0o755)
	if w.Close() == nil {
		t.Error("no error")
	}
}
