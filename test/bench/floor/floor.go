// SPDX-License-Identifier: Apache-2.0

// Package floor has task iterators that do less than landlockd's: what they take is what the
// kernel takes for as much, whoever asks. It needs Linux 6.2, CAP_BPF and CAP_PERFMON.
package floor

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Iterator is one program that the kernel runs for each task.
type Iterator struct {
	Program *ebpf.Program
	Link    *link.Iter
}

// Floors are all of them.
type Floors struct {
	// Empty does nothing. Bare returns as many bytes as landlockd's program and reads none of
	// them. Reference reads the facts of a task's record by plain loads, and returns those.
	Empty, Bare, Reference Iterator
}

// Open loads and attaches them. credentials is where Landlock's part of the credentials is,
// in bytes, or -1 if there is none: taskiter's Source.CredentialsOffset. hierarchy is the v1
// hierarchy of cgroups that names processes, 0 if none does.
func Open(credentials int, hierarchy uint32) (*Floors, error) {
	spec, err := loadObject()
	if err != nil {
		return nil, fmt.Errorf("the floors' object: %w", err)
	}
	if credentials >= 0 {
		if err := spec.Variables["blob"].Set(uint32(credentials)); err != nil {
			return nil, fmt.Errorf("the floors' offset: %w", err)
		}
	}
	if err := spec.Variables["hierarchy_v1"].Set(hierarchy); err != nil {
		return nil, fmt.Errorf("the floors' hierarchy: %w", err)
	}
	var programs objectPrograms
	if err := spec.LoadAndAssign(&programs, nil); err != nil {
		return nil, fmt.Errorf("load the floors: %w", err)
	}
	f := &Floors{
		Empty:     Iterator{Program: programs.Empty},
		Bare:      Iterator{Program: programs.Bare},
		Reference: Iterator{Program: programs.Reference},
	}
	for _, i := range f.all() {
		if i.Link, err = link.AttachIter(link.IterOptions{Program: i.Program}); err != nil {
			f.Close()
			return nil, fmt.Errorf("attach the floors: %w", err)
		}
	}
	return f, nil
}

func (f *Floors) all() []*Iterator { return []*Iterator{&f.Empty, &f.Bare, &f.Reference} }

// Close releases the programs.
func (f *Floors) Close() {
	for _, i := range f.all() {
		if i.Link != nil {
			i.Link.Close()
		}
		i.Program.Close()
	}
}
