// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/taskiter"
)

// State is what Open found out that a [Reader] needs. It can be stored as text.
type State struct {
	Layout taskiter.Layout
	// Copies is how often each program is there that counts: 1 or 2.
	Copies int
}

// NumFiles returns the number of descriptors that Open returns with a state; 0 for a state that
// it never returns.
func (s State) NumFiles() int {
	if s.Copies < 1 || s.Copies > maxCopies {
		return 0
	}
	return s.missFiles() + s.Copies*numEvents
}

// missFiles is the place of the descriptors of the tracepoints' programs, which show in /proc
// what they missed.
func (s State) missFiles() int { return linkFiles + s.Copies*numEvents }

// The places of the descriptors that Open returns. Behind them are those of the links of the
// tracepoints' programs, and of these.
const (
	controlFile = iota
	wakeFile
	drainFiles
	exesFile      = drainFiles + 2
	groupsFile    = exesFile + 1
	tasksFile     = groupsFile + 1
	processesFile = tasksFile + 1
	linkFiles     = processesFile + 1
)

const (
	numEvents   = int(objectEventEVENTS)
	maxCopies   = int(objectSizesCOPIES)
	maxPrograms = maxCopies * numEvents
)

// Open loads the programs, which then count, and remembers the processes that are there. It
// needs CAP_BPF and CAP_PERFMON. The descriptors are for NewReader, in this process or in
// another. kernel has the kernel's types. An error is a *[scan.Error].
func Open(kernel *btf.Cache, l taskiter.Layout) (State, []*os.File, error) {
	types, err := kernel.Kernel()
	if err != nil {
		return State{}, nil, failure(Absent, "the kernel does not describe its types (BTF)", err)
	}
	c, err := resolve(types)
	if err != nil {
		return State{}, nil, err
	}
	copies := maxCopies
	if runWhole() {
		copies = 1
	} else {
		c.Interrupted = 1
	}
	coll, err := load(kernel, l, c, copies)
	if err != nil {
		return State{}, nil, err
	}
	defer coll.Close()
	files, err := attach(coll, copies)
	if err != nil {
		files.Close()
		return State{}, nil, err
	}
	return State{Layout: l, Copies: copies}, files, nil
}

func resolve(types *btf.Spec) (c objectSettings, err error) {
	if c.GroupDead, err = groupDead(types); err != nil {
		return c, failure(Absent, "the end of processes", err)
	}
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return c, failure(Refused, "the PID namespace of this process: /proc/self/ns/pid", err)
	}
	c.PidNs = uint32(st.Ino)
	return c, nil
}

// groupDead returns 1 if the tracepoint says which thread is the last one (Linux 6.16).
func groupDead(types *btf.Spec) (uint32, error) {
	args, err := bpffile.TracepointArgs(types, "sched_process_exit")
	if err != nil {
		return 0, err
	}
	const second = 1 // behind the task
	if len(args) > second && args[second].Name == "group_dead" {
		return 1, nil
	}
	return 0, nil
}

// runWhole reports whether nothing interrupts a program of a tracepoint, so that one copy is
// called for each event: before Linux 7.0.
func runWhole() bool {
	var u unix.Utsname
	var major int
	if err := unix.Uname(&u); err != nil {
		return false
	}
	n, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.", &major)
	return n == 1 && err == nil && major < 7
}

func load(
	cache *btf.Cache, l taskiter.Layout, c objectSettings, copies int,
) (*ebpf.Collection, error) {
	spec, err := loadObject()
	if err == nil {
		err = errors.Join(
			spec.Variables[objectVarLayout].Set(l.Domain), spec.Variables[objectVarConfig].Set(c))
	}
	if err != nil {
		return nil, failure(Refused, "the BPF object", err)
	}
	for _, unused := range events(maxCopies)[copies*numEvents:] {
		delete(spec.Programs, unused) // a quarter of what the kernel has to verify
	}
	// The kernel takes whole pages, which differ.
	spec.Maps[objectMapWake].MaxEntries = uint32(os.Getpagesize())
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: cache})
	if err != nil {
		return nil, failure(Refused, "the kernel did not accept the programs", err)
	}
	return coll, nil
}

// events are the programs of the tracepoints, in the order in which they are called.
func events(copies int) []string {
	all := [maxPrograms]string{
		objectProgOnFork, objectProgOnExec, objectProgOnExit,
		objectProgOnForkAgain, objectProgOnExecAgain, objectProgOnExitAgain,
	}
	return all[:copies*numEvents]
}

func attach(coll *ebpf.Collection, copies int) (files bpffile.Files, err error) {
	// So that Go's poller waits for it.
	if err := unix.SetNonblock(coll.Maps[objectMapWake].FD(), true); err != nil {
		return nil, failure(Refused, "the programs' memory", err)
	}
	err = errors.Join(
		files.Keep(coll.Maps[objectMapControl], "control"), files.Keep(coll.Maps[objectMapWake], "wake"))
	if err != nil {
		return files, failure(Refused, "the programs' memory", err)
	}
	for _, it := range [...]struct{ program, table string }{
		{objectProgDrain0, objectMapCells0}, {objectProgDrain1, objectMapCells1},
		{objectProgNameExes, objectMapExes}, {objectProgNameGroups, objectMapGroups},
		{objectProgSweepTasks, ""}, {objectProgSweepProcesses, objectMapProcesses},
	} {
		o := link.IterOptions{Program: coll.Programs[it.program]}
		if it.table != "" {
			o.Map = coll.Maps[it.table]
		}
		l, err := link.AttachIter(o)
		if err := keepLink(&files, l, it.program, err); err != nil {
			return files, err
		}
	}
	for _, program := range events(copies) {
		l, err := link.AttachTracing(link.TracingOptions{Program: coll.Programs[program]})
		if err := keepLink(&files, l, program, err); err != nil {
			return files, err
		}
	}
	for _, program := range events(copies) {
		if err := files.Keep(coll.Programs[program], program); err != nil {
			return files, failure(Refused, program, err)
		}
	}
	return files, adopt(coll)
}

// keepLink keeps a link that was made unless that failed.
func keepLink(files *bpffile.Files, l link.Link, name string, err error) error {
	if err == nil {
		err = files.Keep(l, name)
		_ = l.Close()
	}
	if err != nil {
		return failure(Refused, "attach "+name, err)
	}
	return nil
}

// adopt has the processes remembered that are there.
func adopt(coll *ebpf.Collection) error {
	it, err := link.AttachIter(link.IterOptions{Program: coll.Programs[objectProgAdopt]})
	if err != nil {
		return failure(Refused, "attach "+objectProgAdopt, err)
	}
	defer it.Close()
	err = bpffile.Iterate(context.Background(), it.FD(), make([]byte, bpffile.ReadSize),
		func([]byte) error { return nil })
	if err != nil {
		return failure(Refused, "run "+objectProgAdopt, err)
	}
	return nil
}
