// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"

	"github.com/landlockd/landlockd/internal/suggest"
	"github.com/landlockd/landlockd/scan"
)

// suggestRules writes rules for what is sandboxed now.
func (s *settings) suggestRules(w io.Writer) error {
	snap, err := s.judged(func(snap *scan.Snapshot) (bool, []int32) {
		for i := range snap.Processes {
			if !settled(snap, &snap.Processes[i]) {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return buffered(w, func(w io.Writer) error { return suggest.Write(w, snap) })
}
