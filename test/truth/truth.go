// SPDX-License-Identifier: Apache-2.0

// Package truth makes real processes whose Landlock domains are known, because
// each of them made its own, and compares a [scan.Snapshot] with them.
//
// A [Forest] grows from a seed and stands still; [Compare] then demands that a
// snapshot states exactly its [Truth]. A [Churn] keeps moving while it is
// scanned; [Judge] then demands that every statement of a snapshot was true at
// some instant of its scan. Of a [Swing] root directories are moved, and [JudgeSwing]
// demands the same. What [PlayRuns] starts has ended when it returns; [CompareRuns] demands
// that exactly that was counted. The same seed always makes the same plan.
//
// What a thread's rules come to is not computed here: each thread of a forest tries
// in the end what it may do in its root directory, and says so.
//
// The processes are made by a C program (folder actor), since the runtime of
// Go has threads of its own and does not say which of them does what.
package truth

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/landlockd/landlockd/access"
)

// Truth is what the processes of a [Forest] say of themselves.
type Truth struct {
	// Coordinator is the PID of the subreaper of all of them.
	Coordinator int32 `json:"coordinator"`
	// ABI is Landlock's, and Rights are those that this kernel knows.
	ABI    int           `json:"abi"`
	Rights access.Rights `json:"rights"`
	// Rings: this kernel made rings of io_uring for the coordinator, and their workers.
	Rings bool `json:"rings"`
	// Ops counts the operations that succeeded, by kind.
	Ops map[string]int `json:"ops"`
	// Layers are the rights that each layer handles; layer n is Layers[n-1].
	// A layer is one successful landlock_restrict_self(2), hence one domain.
	Layers    []access.Rights `json:"layers"`
	Processes []Process       `json:"processes"`
	// Gone are the PIDs of processes that have ended. They are zombies until
	// the forest is closed: no other process can have these PIDs.
	Gone []int32 `json:"gone"`
}

// Process is one live process.
type Process struct {
	PID  int32 `json:"pid"`
	PPID int32 `json:"ppid"`
	// UserNS is the inode of the user namespace.
	UserNS uint32 `json:"user_ns"`
	// Exe is the absolute path that was executed.
	Exe  string `json:"exe"`
	Comm string `json:"-"`
	// CommHex is Comm in hexadecimal: its bytes need not be UTF-8.
	CommHex string `json:"comm_hex"`
	// ZombieLeader: the first thread has ended and others live.
	ZombieLeader bool `json:"zombie_leader"`
	// The process was created between these two, in nanoseconds since boot.
	BornFrom uint64 `json:"born_from"`
	BornTo   uint64 `json:"born_to"`
	Tasks    []Task `json:"tasks"`
	// Workers are the threads that the kernel made for the process.
	Workers []Worker `json:"workers"`
}

// Task is one live thread.
type Task struct {
	TID int32 `json:"tid"`
	// Layers are numbers of Truth.Layers, outermost first. Tasks are in the
	// same domain if, and only if, these are equal.
	Layers []uint32 `json:"layers"`
	// UID is the effective user in the first user namespace.
	UID        uint32 `json:"uid"`
	NoNewPrivs bool   `json:"no_new_privs"`
	Seccomp    uint8  `json:"seccomp"`
	// Tried are the rights to files that it tried in its root directory, with the
	// mask access.FS, and Denied those of them that it does not have there.
	Tried    uint32 `json:"tried"`
	Denied   uint32 `json:"denied"`
	BornFrom uint64 `json:"born_from"`
	BornTo   uint64 `json:"born_to"`
}

// Worker is the thread of a ring of io_uring. It is idle: both its credentials are
// those of whoever made the ring.
type Worker struct {
	TID int32 `json:"tid"`
	// Layers are the domain that it is in, as those of a Task.
	Layers   []uint32 `json:"layers"`
	BornFrom uint64   `json:"born_from"`
	BornTo   uint64   `json:"born_to"`
}

// Tasks returns the number of live threads.
func (t *Truth) Tasks() int {
	n := 0
	for i := range t.Processes {
		n += len(t.Processes[i].Tasks)
	}
	return n
}

// parseTruth reads what the actor prints; dir is the folder of its binary.
func parseTruth(data []byte, dir string) (*Truth, error) {
	t := new(Truth)
	if err := json.Unmarshal(data, t); err != nil {
		return nil, fmt.Errorf("the actor's truth: %w", err)
	}
	for i := range t.Processes {
		p := &t.Processes[i]
		comm, err := hex.DecodeString(p.CommHex)
		if err != nil {
			return nil, fmt.Errorf("the actor's truth: comm of %d: %w", p.PID, err)
		}
		p.Comm, p.Exe = string(comm), filepath.Join(dir, p.Exe)
		if len(p.Tasks) == 0 {
			return nil, fmt.Errorf("the actor's truth: process %d has no task", p.PID)
		}
		for _, task := range p.Tasks {
			if err := t.checkLayers(task.TID, task.Layers); err != nil {
				return nil, err
			}
		}
		for _, w := range p.Workers {
			if err := t.checkLayers(w.TID, w.Layers); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *Truth) checkLayers(tid int32, layers []uint32) error {
	for _, l := range layers {
		if l < 1 || int(l) > len(t.Layers) {
			return fmt.Errorf("the actor's truth: thread %d has a layer %d of %d", tid, l, len(t.Layers))
		}
	}
	return nil
}
