// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// stated are the facts of boots that docs/kernels.md has, by "guest/boot". Each run of the
// matrix compares those that guests state with them, so that the page cannot be out of date.
type stated struct {
	mu    sync.Mutex // guards boots
	file  string
	boots map[string]statedBoot
}

// statedBoot is what one boot stated.
type statedBoot struct {
	// Version is that of the kernel's package when the facts were recorded. Newer ones are
	// expected to be alike.
	Version string `json:"version"`
	// Facts are by "check.key", one of those in [recorded].
	Facts map[string]string `json:"facts"`
}

// recorded are the facts that the page has.
func recorded() []string {
	return []string{"report.abi", "report.rights", "daemon.source", "denials.source"}
}

// readStated reads the file of a module.
func readStated(module string) (*stated, error) {
	s := &stated{file: filepath.Join(module, "test/kernels/testdata/stated.json")}
	b, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	return s, json.Unmarshal(b, &s.boots)
}

// write writes the file.
func (s *stated) write() error {
	b, err := json.MarshalIndent(s.boots, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.file, append(b, '\n'), 0o644)
}

// factsOf returns those of the lines that are recorded.
func factsOf(lines []protocol.Line) map[string]string {
	facts := map[string]string{}
	for _, l := range lines {
		if key := l.Check + "." + l.Key; l.Kind == protocol.Fact && slices.Contains(recorded(), key) {
			facts[key] = l.Text
		}
	}
	return facts
}

// differ returns what a boot stated otherwise than is recorded.
func (s *stated) differ(boot string, lines []protocol.Line) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var problems []string
	facts := factsOf(lines)
	for _, key := range slices.Sorted(maps.Keys(facts)) {
		if want, got := s.boots[boot].Facts[key], facts[key]; got != want {
			problems = append(problems, fmt.Sprintf("%s is %q, and docs/kernels.md has %q: test-kernels -record, "+
				"then go generate ./test/kernels", key, got, want))
		}
	}
	return problems
}

// record keeps what a boot stated in place of what was recorded of it.
func (s *stated) record(boot, version string, lines []protocol.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if facts := factsOf(lines); len(facts) > 0 {
		s.boots[boot] = statedBoot{version, facts}
	}
}
