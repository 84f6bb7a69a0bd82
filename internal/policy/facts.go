// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/binary"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// facts are all that rules can see of a process, but its command line. Processes
// with the same facts are matched once.
//
// Fields other than text stand together: they are hashed as one, once for each process.
type facts struct {
	comm  scan.Comm
	uid   uint32
	place place
	// main reports whether the parent is outside the workload.
	main level
	// unnamed: it is known that its container has no name.
	unnamed bool
	// ended: it has, so that its name is not known if it is empty. below: its cgroup may also
	// be one below the one that is known.
	ended, below bool
	// uids are the user IDs of a process whose tasks have different ones, ascending
	// and each in four bytes; otherwise it is empty, and uid is that of all.
	uids string
	// texts are what the cgroup shows, by [Key].
	texts [numTexts]string
	exe   executable
	// ancestors are the levels of the matches that look at those.
	ancestors string
}

// place is what the process's cgroup shows of where it runs.
type place uint8

const (
	// nowhere: its cgroup could not be resolved.
	nowhere place = iota
	// inUnit: unit names it.
	inUnit
	// outside of units and containers.
	outside
	// inContainer, and no Kubernetes pod, as far as the cgroup shows.
	inContainer
	// inPod: in a container of a Kubernetes pod.
	inPod
)

// seen is which facts some rule looks at. The others are left out, so that
// processes that differ in nothing else have the same facts.
type seen struct {
	// given are the keys of some match.
	given [numKeys]bool
	// ancestors are the matches that look at those.
	ancestors []*Match
	// uids are the user IDs at which some rule begins or ends, ascending: those
	// between two of them are the same to all rules. Nil keeps all apart.
	uids []uint32
}

// factsOf returns the facts of a process, but its ancestors.
func factsOf(s *scan.Snapshot, p *scan.Process, what *seen) facts {
	var f facts
	w := s.WorkloadOf(p)
	f.setPlace(w, what)
	if what.given[KeyExe] {
		f.exe = executableOf(p)
	}
	if what.given[KeyComm] {
		f.comm, f.exe.origin = p.Comm, p.ExeOrigin
	}
	if what.given[KeyUID] {
		f.setUIDs(s, p, what)
	}
	if what.given[KeyMain] {
		f.main = isMain(s, p, w)
	}
	return f
}

// setUIDs takes no memory for a process of one user.
func (f *facts) setUIDs(s *scan.Snapshot, p *scan.Process, what *seen) {
	f.uid = what.sameUID(p.UID)
	if !p.UIDsDiffer {
		return
	}
	var packed []byte
	last, different := uint32(0), 0
	for _, uid := range s.UIDs(p) { // ascending, and so are those that stand for them
		if uid = what.sameUID(uid); different == 0 || uid != last {
			packed = binary.NativeEndian.AppendUint32(packed, uid)
			last, different = uid, different+1
		}
	}
	if f.uid = last; different > 1 {
		f.uid, f.uids = 0, string(packed)
	}
}

// sameUID returns the lowest user ID that is the same as one to all rules.
func (s *seen) sameUID(uid uint32) uint32 {
	if s.uids == nil || uid == scan.NoUser {
		return uid
	}
	i, found := slices.BinarySearch(s.uids, uid)
	switch {
	case found:
		return uid
	case i == 0:
		return 0
	default:
		return s.uids[i-1]
	}
}

// eachUID yields the user IDs of the process's tasks.
func (f *facts) eachUID(yield func(uint32) bool) {
	if f.uids == "" {
		yield(f.uid)
		return
	}
	for i := 0; i < len(f.uids); i += 4 {
		if !yield(binary.NativeEndian.Uint32([]byte(f.uids[i : i+4]))) {
			return
		}
	}
}

func (f *facts) setPlace(w *scan.Workload, what *seen) {
	if w == nil || w.Cgroup == "" {
		return
	}
	switch {
	case w.Kind == scan.InContainer:
		if f.place = inContainer; w.Container != nil && w.Container.PodUID != "" {
			f.place = inPod
		}
	case (w.Kind == scan.Unit || w.Kind == scan.UserUnit) && w.Unit != "":
		// In a cgroup below it, too: whoever may make one there must not leave
		// the unit's rules by it.
		f.place, f.texts[KeyUnit] = inUnit, w.Unit
	default:
		f.place = outside
	}
	if what.given[KeySlice] {
		f.texts[KeySlice] = w.Slice
	}
	if what.given[KeyCgroup] {
		f.texts[KeyCgroup] = w.Cgroup
	}
	c := w.Container
	if c != nil && (what.given[KeyContainer] || what.given[KeyNamespace] || what.given[KeyPod]) {
		f.texts[KeyContainer], f.texts[KeyNamespace], f.texts[KeyPod] = c.Name, c.Namespace, c.Pod
		f.unnamed = c.Unnamed
	}
}

// isMain reports whether a process's parent is outside its workload. The first process of
// all, and the kernel, are outside of every other's.
func isMain(s *scan.Snapshot, p *scan.Process, w *scan.Workload) level {
	place, known := parentOf(s, p)
	if place < 0 {
		if known {
			return yes
		}
		return unknown
	}
	above := s.WorkloadOf(&s.Processes[place])
	if w == nil || above == nil || w.Cgroup == "" || above.Cgroup == "" {
		return unknown
	}
	return levelOf(!sameWorkload(w, above))
}

// sameWorkload reports whether two entries of a snapshot are of one workload:
// several of one unit may have a cgroup of their own.
func sameWorkload(a, b *scan.Workload) bool {
	c, d := a.Container, b.Container
	return a == b || a.Kind == b.Kind && a.Unit == b.Unit && a.FullName == b.FullName &&
		(c == d || c != nil && d != nil && c.ID == d.ID && c.PodUID == d.PodUID)
}
