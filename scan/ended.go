// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/landlockd/landlockd/access"

// ConcludeEnded is [Snapshot.Conclude] for processes that ended, of whose tasks no more is known
// than State and Depth (0 if it is not known, either) and which rights each that was in a domain
// handled: it takes that of the process in a place from handled. Whether a worker acted outside
// of their domains is unknown.
func (s *Snapshot) ConcludeEnded(handled func(place int) access.Rights) {
	m := s.Meaning()
	s.sandboxes = s.sandboxes[:0]
	for i := range s.Processes {
		p := &s.Processes[i]
		p.sandbox, p.outside = noSandbox, access.No
		if p.State == Sandboxed {
			p.outside = access.Unknown
		}
		if p.State == Sandboxed || p.State == Partial {
			p.sandbox = int32(len(s.sandboxes))
			s.sandboxes = append(s.sandboxes, m.Handling(p.Depth, handled(i)))
		}
	}
	s.concluded = true
}
