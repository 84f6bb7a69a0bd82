// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/programs"
)

// checkPrograms starts real programs that sandbox themselves, and compares what a scan
// says of them with what strace saw.
func checkPrograms(t *T) {
	source := openIterator(t)
	if source.Info().Rules != "read" {
		t.Fatalf("rules are %s: %s", source.Info().Rules, source.NoRules())
	}
	tree, err := programs.LoadTree("/programs")
	t.Must(err)
	top := "/tmp/started"
	t.Must(os.Mkdir(top, 0o755))
	defer os.RemoveAll(top)
	for i, p := range programs.ForGuests() {
		dir := filepath.Join(top, fmt.Sprint(i))
		t.Must(os.Mkdir(dir, 0o755))
		trace, err := tree.Check(p, dir, func(string) (*scan.Snapshot, error) {
			return source.Scan(context.Background())
		})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		t.Fact("programs", tree.Line(p, trace))
	}
}
