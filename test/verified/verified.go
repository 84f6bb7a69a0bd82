// SPDX-License-Identifier: Apache-2.0

// Package verified holds the work that BPF programs are for the kernel's verifier against
// what is recorded, so that its growth is seen: the kernel refuses a program of a million
// instructions, and loading takes the longer the more there are.
package verified

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// margin is how far a count may be from the recorded one, as a share of it. The compiler is
// pinned, so that this is for small changes, and updates of a kernel within its series.
const margin = 0.2

// count is how many instructions the verifier of a kernel went through for a program; one
// that several ways lead to counts several times.
type count struct {
	Series, Program string
	Instructions    uint32
}

// Check compares programs, by their names, with the counts in file: a line
// "SERIES PROGRAM INSTRUCTIONS" for each kernel and program. On a kernel of a series that
// has none, a program may take twice as many as on the kernel where it takes most. With
// update it writes the lines of this kernel anew.
func Check(t *testing.T, file string, update bool, programs map[string]*ebpf.Program) {
	t.Helper()
	recorded, err := read(file)
	if err != nil && !(update && errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	release, series := kernel(t)
	now := counts(t, series, programs)
	if update {
		other := slices.DeleteFunc(recorded, func(c count) bool { return c.Series == series })
		if err := write(file, append(other, now...)); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, c := range now {
		least, most := bounds(recorded, c)
		t.Logf("Linux %s: the verifier went through %d instructions of %s", release, c.Instructions, c.Program)
		if n := float64(c.Instructions); n < least || n > most {
			t.Errorf("%s: the verifier of Linux %s went through %d instructions, not %.0f to %.0f; "+
				"if that is meant, go test -run %s -update . writes %s anew",
				c.Program, release, c.Instructions, least, most, t.Name(), file)
		}
	}
}

// bounds returns between which numbers of instructions a program may take on c's kernel.
func bounds(recorded []count, c count) (least, most float64) {
	for _, r := range recorded {
		n := float64(r.Instructions)
		if r.Program == c.Program && r.Series == c.Series {
			return (1 - margin) * n, (1 + margin) * n
		}
		if r.Program == c.Program {
			most = max(most, 2*n)
		}
	}
	return 0, most
}

func counts(t *testing.T, series string, programs map[string]*ebpf.Program) []count {
	t.Helper()
	var all []count
	for name, p := range programs {
		info, err := p.Info()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n, ok := info.VerifiedInstructions()
		if !ok {
			t.Fatalf("%s: this kernel does not say what its verifier did, which Linux 5.16 does", name)
		}
		all = append(all, count{series, name, n})
	}
	sortCounts(all)
	return all
}

func kernel(t *testing.T) (release, series string) {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release = unix.ByteSliceToString(name.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		t.Fatalf("kernel release %q: %v", release, err)
	}
	return release, fmt.Sprintf("%d.%d", major, minor)
}

func read(file string) ([]count, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []count
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var c count
		if _, err := fmt.Sscan(lines.Text(), &c.Series, &c.Program, &c.Instructions); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", file, lines.Text(), err)
		}
		all = append(all, c)
	}
	return all, lines.Err()
}

func write(file string, all []count) error {
	sortCounts(all)
	var b bytes.Buffer
	for _, c := range all {
		fmt.Fprintln(&b, c.Series, c.Program, c.Instructions)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

func sortCounts(all []count) {
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(strings.Compare(a.Program, b.Program), strings.Compare(a.Series, b.Series))
	})
}
