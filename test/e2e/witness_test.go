// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"strconv"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// witnessUnit has processes of known states. What is said of them is true whatever
// others do.
var witnessUnit = "lltest-witness-" + ownLetters() + ".service"

// ownLetters are no other run's of these tests, which may be at work beside this one. Names
// with numbers would be folded.
func ownLetters() string {
	digits := []byte(strconv.Itoa(os.Getpid()))
	for i := range digits {
		digits[i] += 'g' - '0' // no hexadecimal digit
	}
	return string(digits)
}

// startWitnesses starts them, in a tree of cgroups that the test may use further.
func startWitnesses(t *testing.T) cgroupTree {
	t.Helper()
	tree := newCgroupTree(t)
	plain := []string{"sh", "-c", "echo ready; read x"}
	for _, args := range [][]string{
		sandboxed(1, plain...), sandboxed(deepest, plain...), plain, {self, roleArg, "partial"},
	} {
		tree.put(witnessUnit, stay(t, true, args...))
	}
	return tree
}

// deepest is how many domains can be nested.
const deepest = 16

// checkWitnesses checks what metrics say of them.
func (m metrics) checkWitnesses(t testing.TB) {
	t.Helper()
	m.has(t, "landlockd_scan_success", 1)
	for state, want := range map[string]float64{"sandboxed": 2, "partial": 1, "unsandboxed": 1} {
		if got := m.workload(witnessUnit, state); got != want {
			t.Errorf("of the witnesses %v are %s, want %v", got, state, want)
		}
	}
	if got := m.workload(witnessUnit, "unknown"); got > 0 {
		t.Errorf("%v witnesses are unknown", got)
	}
}

// startWatched starts a daemon that scans for each scrape, beside witnesses whose unit it
// has found.
func startWatched(t *testing.T, o daemonOptions) (*daemon, cgroupTree) {
	t.Helper()
	testenv.NeedRoot(t)
	tree := startWitnesses(t)
	o.args = append(o.args, "--scan.min-interval=0", "--log.level=info")
	d := startDaemon(t, o)
	eventually(t, "the witnesses are known", func() bool {
		return d.scrape(t).workload(witnessUnit, "sandboxed") == 2
	})
	d.scrape(t).checkWitnesses(t)
	return d, tree
}
