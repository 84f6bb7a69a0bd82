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

	sizeHeader = 4
	sizeTask   = 120
	sizeDomain = 64
	sizeExe    = 16 // without the path
	sizeEnd    = 8
	sizeSlot   = 56
	sizeRules  = 48 + ruleLayers*sizeLayer // without the rules
	sizeLayer  = 24 + 4*netRights
	sizeRule   = 24

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
	// taskDoubtful is not the program's: which domain the task is in could
	// not be told, only that it is in one.
	taskDoubtful
)

// taskRecord is what one pass tells of one task.
type taskRecord struct {
	tid, pid, ppid int32
	flags, bits    uint32
	exitState      uint32
	threads        int32
	start          uint64
	exec           uint64
	exits          uint64
	domain         uint64
	root           uint64 // of its root directory, only to compare
	cgroup         uint64
	cgroupV1       uint64
	euid           uint32
	userNS         uint32
	mntNSOwner     uint32
	seccomp        uint32
	comm           scan.Comm

	// view is not the program's: which of rulebook.now this task belongs to,
	// counted from 1; 0 if it is in no domain that is known.
	view int32
}

// domainRecord is what one pass tells of one domain.
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

// sink takes the records of one read, in order.
type sink interface {
	task(taskRecord)
	domain(domainRecord)
	exe(pid int32, exec uint64, path []byte)
	slot(slotRecord)
	rules(*rulesRecord)
	launcher(key uint64, path []byte)
	end(pidLevel uint32)
}

// parse hands every record of b to the sink. A path and rules that it passes
// point into b. An error says at which byte the records
// stopped making sense; nothing behind it was handed over.
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
				domain: ne.Uint64(r[56:]), root: ne.Uint64(r[64:]),
				cgroup: ne.Uint64(r[72:]), cgroupV1: ne.Uint64(r[80:]),
				euid: ne.Uint32(r[88:]), userNS: ne.Uint32(r[92:]), mntNSOwner: ne.Uint32(r[96:]),
				seccomp: ne.Uint32(r[100:]), comm: scan.Comm(r[104:120]),
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
			to.exe(int32(ne.Uint32(r[4:])), ne.Uint64(r[8:]), path)
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
