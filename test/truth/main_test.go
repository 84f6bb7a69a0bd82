// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

var (
	seedsFlag = flag.Uint64("truth.seeds", 20, "how many forests to grow")
	seedFlag  = flag.Uint64("truth.seed", 0, "replay this one seed of the forest instead of all")
	swingFlag = flag.Duration("truth.swing", 3*time.Second, "how long to scan while roots are moved")
	runsFlag  = flag.Uint64("truth.runs", 5, "how many seeds of processes that end to play")
	stormFlag = flag.Int("truth.storm", 20_000, "how many processes a storm of ends has")
	churnFlag = flag.Duration("truth.churn", 20*time.Second, "how long to scan a churn")
)

// The actor is built once, for all tests.
var built struct {
	once sync.Once
	dir  string
	bin  string
	err  error
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if built.dir != "" {
		if err := os.RemoveAll(built.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

func actor(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "truth"); built.err == nil {
			built.bin, built.err = Build(t.Context(), built.dir)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.bin
}

// source opens what is under test. Without the privilege to do so the test
// fails, lest it be believed to have passed; only -short may skip it.
func source(t *testing.T, opts taskiter.Options) scan.Source {
	t.Helper()
	s, err := taskiter.Open(opts)
	switch {
	case err != nil && testing.Short():
		t.Skipf("-short, and the task iterator cannot be opened: %v", err)
	case err != nil:
		t.Fatalf("this test needs root, or CAP_BPF and CAP_PERFMON, on a kernel with BTF (-short skips it where they lack): %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
