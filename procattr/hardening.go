// SPDX-License-Identifier: Apache-2.0

package procattr

import "github.com/landlockd/landlockd/scan"

// readStatus fills in who each thread of the process that is open is, and what
// hardens it. uid is the effective user of the process's own directory; due: its
// identity is read in this scan.
//
// What is the same for all threads may be as old as the identity. That threads differ
// is concluded only from what was read in this scan: a process that changes user in all
// of its threads would else be one that did in some.
func (s *Source) readStatus(pid int32, uid uint32, e *entry, due bool) {
	threads := s.settler.threads
	if len(threads) == 1 && threads[0].tid == pid {
		t := &threads[0]
		if due && s.threadStatus(t, 0) {
			e.hardening = t.status.hardening
		}
		t.status = status{uid: uid, hardening: e.hardening}
		return
	}
	old := false
	for t := range s.settler.living {
		if due || !t.hasStatus {
			s.threadStatus(t, t.tid)
		} else {
			old = true
		}
	}
	if old && s.settler.differ(pid, uid) {
		for t := range s.settler.living {
			s.threadStatus(t, t.tid)
		}
	}
	s.settler.fillStatus(uid)
}

// differ reports whether the threads differ in their status files, or the leader from
// who it is.
func (s *settler) differ(pid int32, uid uint32) bool {
	var first *thread
	for t := range s.living {
		if !t.hasStatus {
			continue
		}
		if first == nil {
			first = t
		}
		if t.status != first.status || t.tid == pid && t.status.uid != uid {
			return true
		}
	}
	return false
}

// fillStatus gives the first status that is known to threads that had gone when theirs
// was to be read: they then make no difference.
func (s *settler) fillStatus(uid uint32) {
	known := status{uid: uid}
	for t := range s.living {
		if t.hasStatus {
			known = t.status
			break
		}
	}
	for i := range s.threads {
		if t := &s.threads[i]; !t.hasStatus {
			t.status = known
		}
	}
}

// threadStatus reads the status file of a thread of the process that is open, or for 0
// that of the process, and reports whether it could. What was read before stays where
// there is none any more. It reads into the identifier's memory: a line before those
// that are wanted has all groups of the task.
func (s *Source) threadStatus(t *thread, tid int32) bool {
	dir, p := s.reader.at(tid, &statusFile)
	n, errno := readAt(dir, p, s.identifier.buf)
	if errno != ok {
		return false
	}
	st, there := parseStatus(s.identifier.buf[:n])
	if s.reader.foreign {
		st.uid = scan.NoUser
	}
	if there {
		t.status, t.hasStatus = st, true
	}
	return there
}
