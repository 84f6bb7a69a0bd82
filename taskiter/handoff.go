// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Handoff returns what another process needs to go on scanning: a state that
// may be stored as text, and descriptors in a fixed order that it must inherit.
// The descriptors stay the source's own. From Linux 5.19 on the other process
// needs no capability; before, CAP_BPF.
func (s *Source) Handoff() (json.RawMessage, []*os.File, error) {
	b, err := json.Marshal(s.state)
	if err != nil {
		return nil, nil, fmt.Errorf("state of the task iterator: %w", err)
	}
	return b, s.files, nil
}

// Resume makes a source of what Handoff returned in another process. It owns
// the files from then on.
func Resume(handoff json.RawMessage, files []*os.File) (*Source, error) {
	if len(files) < 2 || len(files) > 4 {
		return nil, fmt.Errorf("state of the task iterator: %d descriptors, expected 2 to 4", len(files))
	}
	var st state
	if err := json.Unmarshal(handoff, &st); err != nil {
		return nil, fmt.Errorf("state of the task iterator: %w", err)
	}
	if st.Info.Name == "" {
		return nil, errors.New("state of the task iterator: empty")
	}
	if (len(files) > rulesFile) != (st.Info.Rules == "read") {
		return nil, fmt.Errorf("state of the task iterator: %d descriptors, but rules are %s", len(files), st.Info.Rules)
	}
	return newSource(st, files)
}
