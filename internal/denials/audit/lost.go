// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
)

// lostFiles is the number of descriptors of OpenLost.
const lostFiles = 2

// MaxFiles is the number of descriptors that NewReader takes at most.
const MaxFiles = 1 + lostFiles

// OpenLost begins to count the records that the kernel loses before it sends them to
// anybody, by a program that is attached to the function that is called then. It
// needs CAP_BPF and CAP_PERFMON, and a kernel that lets programs be attached to its
// functions: not all do, and then nobody without CAP_AUDIT_CONTROL can know. The
// kernel has the kernel's types. The descriptors are for NewReader.
func OpenLost(kernel *btf.Cache) ([]*os.File, error) {
	spec, err := loadObject()
	if err != nil {
		return nil, fmt.Errorf("the BPF object: %w", err)
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: kernel})
	if err != nil {
		return nil, fmt.Errorf("count lost audit records: %w", err)
	}
	defer coll.Close()
	l, err := link.AttachTracing(link.TracingOptions{Program: coll.Programs[objectProgCountLost]})
	if err != nil {
		return nil, fmt.Errorf("count lost audit records: %w", err)
	}
	defer func() { _ = l.Close() }()
	var files bpffile.Files
	err = errors.Join(files.Keep(coll.Maps[objectMapLost], "audit-lost"), files.Keep(l, "audit-lost"))
	if err != nil {
		files.Close()
		return nil, fmt.Errorf("count lost audit records: %w", err)
	}
	return files, nil
}

// lostCount reads the count of what OpenLost returned. The zero value is always 0.
type lostCount struct {
	memory []byte
	files  bpffile.Files
}

func newLostCount(files []*os.File) (lostCount, error) {
	if len(files) == 0 {
		return lostCount{}, nil
	}
	if len(files) != lostFiles {
		return lostCount{}, fmt.Errorf("count lost audit records: %d descriptors, expected %d", len(files), lostFiles)
	}
	memory, err := unix.Mmap(int(files[0].Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return lostCount{}, fmt.Errorf("mmap of the count of lost audit records: %w", err)
	}
	return lostCount{memory, files}, nil
}

func (l *lostCount) read() uint64 {
	if l.memory == nil {
		return 0
	}
	return atomic.LoadUint64((*uint64)(unsafe.Pointer(unsafe.SliceData(l.memory))))
}

func (l *lostCount) close() {
	l.files.Close()
	if l.memory != nil {
		_ = unix.Munmap(l.memory)
	}
	*l = lostCount{}
}
