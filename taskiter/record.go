// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/landlockd/landlockd/scan"
)

// Kinds and sizes of the records in bpf/record.h, in bytes.
const (
	kindTask     = 1
	kindDomain   = 2
	kindExe      = 3
	kindEnd      = 4
	kindSlot     = 5
	kindRules    = 6
	kindLauncher = 7
	kindGrants   = 8
	kindWorker   = 9
	kindObject   = 10

	sizeHeader = 4
	sizeTask   = 120
	sizeDomain = 64
	sizeExe    = 24 // without the path
	sizeEnd    = 8
	sizeSlot   = 56
	sizeRules  = 56 // without the rules
	sizeRule   = 24
	sizeGrants = 8 // without the layers
	sizeWorker = 16
	sizeObject = 16

	sizeLauncher = 16 + launcherMax
	launcherMax  = 256
)

// Flags of a task record: PF_* of the kernel's linux/sched.h.
const (
	pfIOWorker   = 0x10
	pfUserWorker = 0x4000
)

// Bits of a task record (TASK_* in bpf/record.h).
const (
	taskTorn = 1 << iota
	taskLeader
	taskNoNewPrivs
	taskSysPtrace
	taskLeaving
	// taskDoubtful is not the program's: the task is in a domain, but it is not known
	// in which.
	taskDoubtful
)

// Bits of an executable's record (EXE_* in bpf/record.h).
const (
	exeMissed = 1 << iota
	exeLong
	exeUnlinked
	exeExecuted
	exeInitUser
	exeInitMount
	exeHostTree
)

// taskRecord is what one pass shows of one task.
type taskRecord struct {
	tid, pid, ppid int32
	flags, bits    uint32
	exitState      uint32
	threads        int32
	start          uint64
	exec           uint64
	exits          uint64
	domain         uint64
	view           uint32 // view*
	account        uint32 // whose budgets it uses up
	cgroup         uint64
	cgroupV1       uint64
	euid           uint32
	userNS         uint32
	mntNSOwner     uint32
	seccomp        uint16
	depth          uint16
	comm           scan.Comm

	// These come in records of their own: which of pass.granted is what is granted
	// in its view, counted from 1, or 0 for nothing; and of a worker the key of
	// the domain that it acts in.
	granted int32
	acting  uint64
}

// What is known of a task's view (VIEW_* in bpf/record.h).
const (
	viewNone = iota
	viewRead
	viewChanging
	viewTooDeep
	viewDetached
	viewUnread
	viewOutside
)

// domainRecord is what one pass shows of one domain.
type domainRecord struct {
	depth       uint16
	logStatus   uint16
	key, parent uint64
	denials     uint64
	mask        uint32
	rules       uint32
	creatorPID  int32
	creatorUID  uint32
	creatorComm scan.Comm
}

// slotRecord is what calibration found at one place of one task's credentials.
type slotRecord struct {
	tid       int32
	slot      uint32
	kthread   bool
	set       bool
	numLayers uint32
	chain     uint32
	masks     [helperLayers]uint32
}

// objectRecord is what calibration found at one place of an inode's blob.
type objectRecord struct {
	tid    int32
	slot   uint32
	proven bool
}

// sink takes the records of one read, in order.
type sink interface {
	task(taskRecord)
	domain(domainRecord)
	exe(pid int32, exec uint64, bits uint32, path []byte)
	slot(slotRecord)
	rules(*rulesRecord)
	// grants and worker come before the task's record. There are as many masks as
	// the task's domain has layers, 4 bytes each.
	grants(tid int32, everywhere []byte)
	worker(tid int32, acting uint64)
	object(objectRecord)
	launcher(key uint64, path []byte)
	end(pidLevel uint32)
}

// parse hands every record of b to the sink. Paths, rules and masks that it passes
// point into b. An error has the byte at which the records stopped making sense;
// nothing behind it was handed over.
func parse(b []byte, to sink) error {
	ne := binary.NativeEndian
	for pos := 0; pos < len(b); {
		r := b[pos:]
		if len(r) < sizeHeader {
			return fmt.Errorf("byte %d of %d: %d bytes left, too few for a record's header", pos, len(b), len(r))
		}
		kind, size := ne.Uint16(r), int(ne.Uint16(r[2:]))
		if size > len(r) {
			return fmt.Errorf("byte %d of %d: record of kind %d says it has %d bytes", pos, len(b), kind, size)
		}
		r = r[:size:size]
		switch {
		case kind == kindTask && size == sizeTask:
			to.task(taskRecord{
				tid: int32(ne.Uint32(r[4:])), pid: int32(ne.Uint32(r[8:])), ppid: int32(ne.Uint32(r[12:])),
				flags: ne.Uint32(r[16:]), bits: ne.Uint32(r[20:]),
				exitState: ne.Uint32(r[24:]), threads: int32(ne.Uint32(r[28:])),
				start: ne.Uint64(r[32:]), exec: ne.Uint64(r[40:]), exits: ne.Uint64(r[48:]),
				domain: ne.Uint64(r[56:]), view: ne.Uint32(r[64:]), account: ne.Uint32(r[68:]),
				cgroup: ne.Uint64(r[72:]), cgroupV1: ne.Uint64(r[80:]),
				euid: ne.Uint32(r[88:]), userNS: ne.Uint32(r[92:]), mntNSOwner: ne.Uint32(r[96:]),
				seccomp: ne.Uint16(r[100:]), depth: ne.Uint16(r[102:]), comm: scan.Comm(r[104:120]),
			})
		case kind == kindDomain && size == sizeDomain:
			to.domain(domainRecord{
				depth: ne.Uint16(r[4:]), logStatus: ne.Uint16(r[6:]), key: ne.Uint64(r[8:]), parent: ne.Uint64(r[16:]),
				denials: ne.Uint64(r[24:]), mask: ne.Uint32(r[32:]), rules: ne.Uint32(r[36:]),
				creatorPID: int32(ne.Uint32(r[40:])), creatorUID: ne.Uint32(r[44:]),
				creatorComm: scan.Comm(r[48:64]),
			})
		case kind == kindExe && size > sizeExe:
			path, _, ok := bytes.Cut(r[sizeExe:], []byte{0})
			if !ok {
				return fmt.Errorf("byte %d of %d: path without an end", pos, len(b))
			}
			to.exe(int32(ne.Uint32(r[4:])), ne.Uint64(r[16:]), ne.Uint32(r[8:]), path)
		case kind == kindSlot && size == sizeSlot:
			s := slotRecord{
				tid: int32(ne.Uint32(r[4:])), slot: ne.Uint32(r[8:]),
				kthread: ne.Uint32(r[12:]) != 0, set: ne.Uint32(r[16:]) != 0,
				numLayers: ne.Uint32(r[20:]), chain: ne.Uint32(r[24:]),
			}
			for i := range s.masks {
				s.masks[i] = ne.Uint32(r[28+4*i:])
			}
			to.slot(s)
		case kind == kindRules && size >= sizeRules && (size-sizeRules)%sizeRule == 0:
			to.rules(parseRules(r))
		case kind == kindGrants && size >= sizeGrants && (size-sizeGrants)%4 == 0 && size <= sizeGrants+4*ruleLayers:
			to.grants(int32(ne.Uint32(r[4:])), r[sizeGrants:])
		case kind == kindWorker && size == sizeWorker:
			to.worker(int32(ne.Uint32(r[4:])), ne.Uint64(r[8:]))
		case kind == kindObject && size == sizeObject:
			to.object(objectRecord{int32(ne.Uint32(r[4:])), ne.Uint32(r[8:]), ne.Uint32(r[12:]) != 0})
		case kind == kindLauncher && size == sizeLauncher:
			path, _, ok := bytes.Cut(r[sizeLauncher-launcherMax:], []byte{0})
			if !ok {
				return fmt.Errorf("byte %d of %d: path of a launcher without an end", pos, len(b))
			}
			to.launcher(ne.Uint64(r[8:]), path)
		case kind == kindEnd && size == sizeEnd:
			to.end(ne.Uint32(r[4:]))
		default:
			return fmt.Errorf("byte %d of %d: record of kind %d and %d bytes", pos, len(b), kind, size)
		}
		pos += size
	}
	return nil
}
