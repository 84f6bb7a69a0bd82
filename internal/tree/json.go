// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"io"
	"time"

	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes: docs/schema/processes-v1.json.
const Schema = "landlockd/processes/v1"

// JSON writes processes, in their order, as one JSON object and a newline. origin is where
// the snapshot is from.
func JSON(w io.Writer, s *scan.Snapshot, processes []int32, origin string) error {
	object, all := recorded.Processes(s), make([]any, len(processes))
	for n, i := range processes {
		all[n] = object(&s.Processes[i])
	}
	enc := untrusted.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Schema    string `json:"schema"`
		Time      string `json:"time"`
		Origin    string `json:"origin"`
		Processes []any  `json:"processes"`
	}{Schema, s.Time.UTC().Format(time.RFC3339Nano), origin, all})
}

// JSONLines writes the object of each process on a line of its own.
func JSONLines(w io.Writer, s *scan.Snapshot, processes []int32) error {
	object, enc := recorded.Processes(s), untrusted.NewEncoder(w)
	for _, i := range processes {
		if err := enc.Encode(object(&s.Processes[i])); err != nil {
			return err
		}
	}
	return nil
}
