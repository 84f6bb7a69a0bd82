// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal makes standard output a terminal of some columns.
func onTerminal(t *testing.T, columns uint16) {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	os.Stdout = terminal
	t.Cleanup(func() {
		os.Stdout = old
		terminal.Close()
		ptmx.Close()
	})
}

// Colors are for terminals, unless something else is said; and so is a width.
func TestStyle(t *testing.T) {
	style := func(color, noColor, kind string) bool {
		t.Setenv("NO_COLOR", noColor)
		t.Setenv("TERM", kind)
		return (&listing{color: color}).style().Color
	}
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer w.Close()
	old := os.Stdout
	os.Stdout = w
	if style(colorAuto, "", "xterm") || !style(colorAlways, "1", "dumb") || style(colorNever, "", "xterm") || terminalWidth() != 0 {
		t.Error("in a pipe")
	}
	os.Stdout = old
	onTerminal(t, 93)
	for _, c := range []struct {
		color, noColor, kind string
		want                 bool
	}{
		{colorAuto, "", "xterm", true}, {colorAuto, "1", "xterm", false}, {colorAuto, "", "dumb", false},
		{colorNever, "", "xterm", false}, {colorAlways, "1", "xterm", true},
	} {
		if got := style(c.color, c.noColor, c.kind); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if n := terminalWidth(); n != 93 {
		t.Errorf("%d columns, want 93", n)
	}
}
