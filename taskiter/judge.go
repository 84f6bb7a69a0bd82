// SPDX-License-Identifier: Apache-2.0

package taskiter

import "github.com/landlockd/landlockd/scan"

// taskKey names a task within one boot.
type taskKey struct {
	tid   int32
	start uint64
	exec  uint64
}

func (r *taskRecord) key() taskKey { return taskKey{r.Tid, r.Start, r.ExecId} }

// known holds what was read of single tasks before the pass that is judged: one that had
// exited is gone, and one that was in a domain, and is in one, was in one all the time.
type known map[taskKey]fact

// fact is the domain that a task was in, 0 for none, or that it had exited.
type fact struct {
	domain uint64
	exited bool
}

// verdict is what one pass proves about one process.
type verdict uint8

const (
	// unsettled: the records do not add up to a statement.
	unsettled verdict = iota
	// outside: no live task of the process runs user code (a zombie).
	outside
	unsandboxed
	partial
	sandboxed
)

func (v verdict) state() scan.State {
	switch v {
	case unsandboxed:
		return scan.Unsandboxed
	case partial:
		return scan.Partial
	case sandboxed:
		return scan.Sandboxed
	default:
		return scan.Unknown
	}
}

// judge works out what the records of one process prove. They stand in the order in
// which the pass visited them (ascending by TID), all of one process.
//
// A pass is not atomic, so that the records are of different instants; the
// verdict must have been true at one. Two things make that provable.
//
// First, the set of threads. A thread goes in one piece of code, which raises a
// sequence number of the process when it begins and when it ends, and lowers
// the thread count between. If sequence (even), thread count and exec count are
// the same in all records, then no thread went, so that none came; and if there
// are as many records as threads, then they are of all of them. Each task must
// be there once: while an exec swaps two threads' numbers, one task is found
// under both.
//
// Second, a task in a domain stays in one. What was seen in a domain is in one at every
// later instant, and what was seen outside was outside at every earlier one. So "all
// sandboxed" is true when the last was seen, "none" when the first was, and "some"
// between a sandboxed one and an unsandboxed one that was seen later. A task that is
// known to have exited by that instant counts neither way.
//
// From ABI 8 on (frees) one thing takes a task out of its domain: a thread that is in none
// gives what it has, and so none, to all threads of its process (landlock_restrict_self(2)
// with LANDLOCK_RESTRICT_SELF_TSYNC and no ruleset). Then it may enter a domain itself
// before it is seen. A domain that all have left does not come back, so two things show that
// nothing of that kind happened: all are in one domain, or each is in the one that it was
// seen in before. Otherwise nothing is said of "all". "None" and "some" stay true: who
// frees the others is in none, and leaves an instant at which nobody is in one.
func judge(records []taskRecord, workers uint32, frees bool, before known) verdict {
	first := &records[0]
	var live, exited, likeLeader int
	var leader *taskRecord
	for i := range records {
		r := &records[i]
		if i > 0 && r.Tid <= records[i-1].Tid {
			return unsettled
		}
		if r.Bits&taskTorn != 0 || r.NrThreads != first.NrThreads || r.ExecId != first.ExecId ||
			r.Exits != first.Exits || r.Pid != first.Pid {
			return unsettled
		}
		if r.Bits&taskLeader != 0 {
			leader = r
		}
		if r.ExitState != 0 {
			exited++
		} else {
			live++
		}
	}
	if leader == nil || int(first.NrThreads) != live+exited {
		return unsettled
	}
	if live == 0 {
		// As with the numbers: when those have been swapped, too, an old
		// leader still has the start time that its successor was given.
		for i := range records {
			if records[i].Start == leader.Start {
				likeLeader++
			}
		}
		if likeLeader > 1 {
			return unsettled
		}
		return outside
	}

	var nIn, nOut int
	inBefore := false // a task was in a domain before a later one was seen outside
	lateExit := false // a task exited after another was seen outside
	lastExit := false // a task exited after the last one in a domain was seen
	sawIn := false
	for i := range records {
		r := &records[i]
		switch {
		case r.ExitState != 0:
			if !before[r.key()].exited {
				lastExit = true
				lateExit = lateExit || nOut > 0
			}
		case isWorker(r, workers):
		case r.Domain != 0:
			nIn++
			sawIn, lastExit = true, false
		default:
			nOut++
			if sawIn {
				inBefore = true
			}
		}
	}
	switch {
	case nIn == 0 && nOut == 0:
		return outside
	case nOut == 0:
		if lastExit || frees && apart(records, workers) && !stayed(records, workers, before) {
			return unsettled
		}
		return sandboxed
	case nIn == 0:
		if lateExit {
			return unsettled
		}
		return unsandboxed
	}
	if inBefore {
		return partial
	}
	for i := range records {
		r := &records[i]
		if r.ExitState == 0 && r.Domain != 0 && !isWorker(r, workers) && before[r.key()].domain != 0 {
			return partial
		}
	}
	return unsettled
}

// apart reports whether live tasks are in different domains.
func apart(records []taskRecord, workers uint32) bool {
	var one uint64
	for i := range records {
		r := &records[i]
		if r.ExitState != 0 || r.Domain == 0 || isWorker(r, workers) {
			continue
		}
		if one != 0 && r.Domain != one {
			return true
		}
		one = r.Domain
	}
	return false
}

// stayed reports whether each live task is in the domain that it was seen in before.
func stayed(records []taskRecord, workers uint32, before known) bool {
	for i := range records {
		r := &records[i]
		if r.ExitState == 0 && !isWorker(r, workers) && (r.Domain == 0 || before[r.key()].domain != r.Domain) {
			return false
		}
	}
	return true
}

// isWorker reports whether the kernel made the thread for a user process (io_uring,
// vhost), by those PF_* flags that this kernel gives such threads.
func isWorker(r *taskRecord, workers uint32) bool { return r.Flags&workers != 0 }

// remember adds what the records show to what is known for the next pass.
func (k known) remember(records []taskRecord) {
	for i := range records {
		r := &records[i]
		switch {
		case r.ExitState != 0:
			k[r.key()] = fact{exited: true}
		case r.Domain != 0:
			k[r.key()] = fact{domain: r.Domain}
		}
	}
}
