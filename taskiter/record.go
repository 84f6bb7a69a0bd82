// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"fmt"
	"unsafe"
)

// The records of bpf/record.h, and what is in them.
type (
	domainRecord   = objectDomainRecord
	exeRecord      = objectExeRecord
	endRecord      = objectEndRecord
	grantsRecord   = objectGrantsRecord
	launcherRecord = objectLauncherRecord
	rulesRecord    = objectRulesRecord
	placesRecord   = objectPlacesRecord
	waysRecord     = objectWaysRecord
	ruleEntry      = objectRuleEntry
	slotRecord     = objectSlotRecord
	objectRecord   = objectObjectRecord
)

// Limits of bpf/record.h. netRights is the number of rights to ports that are counted.
const (
	ruleLayers = int(objectLimitRULE_LAYERS)
	rulesMax   = int(objectLimitRULES_MAX)
	netRights  = 8
)

// Flags of a task record: PF_* of the kernel's linux/sched.h.
const (
	pfIOWorker   = 0x10
	pfUserWorker = 0x4000
)

// Bits of a task record.
const (
	taskTorn       = uint16(objectTaskBitsTASK_TORN)
	taskLeader     = uint16(objectTaskBitsTASK_LEADER)
	taskNoNewPrivs = uint16(objectTaskBitsTASK_NO_NEW_PRIVS)
	taskSysPtrace  = uint16(objectTaskBitsTASK_SYS_PTRACE)
	taskLeaving    = uint16(objectTaskBitsTASK_LEAVING)
	taskOneID      = uint16(objectTaskBitsTASK_ONE_ID)
	taskNoCaps     = uint16(objectTaskBitsTASK_NO_CAPS)
	taskDumpable   = uint16(objectTaskBitsTASK_DUMPABLE)
	taskOwned      = uint16(objectTaskBitsTASK_OWNED)
	// taskDoubtful is not the program's: the task is in a domain, but it is not known
	// in which.
	taskDoubtful = uint16(1 << 15)
)

// Bits of an executable's record.
const (
	exeMissed    = uint32(objectExeBitsEXE_MISSED)
	exeLong      = uint32(objectExeBitsEXE_LONG)
	exeUnlinked  = uint32(objectExeBitsEXE_UNLINKED)
	exeExecuted  = uint32(objectExeBitsEXE_EXECUTED)
	exeInitUser  = uint32(objectExeBitsEXE_INIT_USER)
	exeInitMount = uint32(objectExeBitsEXE_INIT_MOUNT)
	exeHostTree  = uint32(objectExeBitsEXE_HOST_TREE)
)

// Bits of a rule.
const (
	rulePort   = uint16(objectRuleBitsRULE_PORT)
	ruleFSRoot = uint16(objectRuleBitsRULE_FS_ROOT)
)

// taskRecord is what one pass shows of one task. As many of them are kept as there are tasks,
// so that what this side adds stands where the program's record has room.
type taskRecord struct{ objectTaskRecord }

// granted is which of pass.granted is what is granted in its view, counted from 1, or 0 for
// nothing.
func (r *taskRecord) granted() uint32 { return r.Spare }

// sink takes the records of one read, in order: a pointer to each, and what follows it
// (a path without its NUL, rules or masks). Both point into the buffer that was read.
type sink interface {
	take(record any, rest []byte)
}

// parse hands every record of b to the sink. An error has the byte at which the
// records stopped making sense; nothing behind it was handed over.
func parse(b []byte, to sink) error {
	for pos := 0; pos < len(b); {
		h, _ := head[objectHeader](b[pos:])
		switch {
		case h == nil:
			return fmt.Errorf("byte %d of %d: too few bytes for a record's header", pos, len(b))
		case int(h.Size) > len(b)-pos:
			return fmt.Errorf("byte %d of %d: too few bytes for a record of kind %d and %d bytes",
				pos, len(b), h.Kind, h.Size)
		}
		end := pos + int(h.Size)
		record, rest := decode(objectRecordKind(h.Kind), b[pos:end:end])
		if record == nil {
			return fmt.Errorf("byte %d of %d: record of kind %d and %d bytes", pos, len(b), h.Kind, h.Size)
		}
		to.take(record, rest)
		pos = end
	}
	return nil
}

// decode returns a record of a kind and what follows it, or nil if it is none.
func decode(kind objectRecordKind, b []byte) (record any, rest []byte) {
	switch kind {
	case objectRecordKindRECORD_TASK:
		return alone[objectTaskRecord](b)
	case objectRecordKindRECORD_DOMAIN:
		return alone[domainRecord](b)
	case objectRecordKindRECORD_SLOT:
		return alone[slotRecord](b)
	case objectRecordKindRECORD_OBJECT:
		return alone[objectRecord](b)
	case objectRecordKindRECORD_END:
		return alone[endRecord](b)
	case objectRecordKindRECORD_EXE:
		return withPath[exeRecord](b)
	case objectRecordKindRECORD_LAUNCHER:
		return withPath[launcherRecord](b)
	case objectRecordKindRECORD_RULES:
		return withList[rulesRecord, ruleEntry](b, rulesMax)
	case objectRecordKindRECORD_GRANTS:
		return withList[grantsRecord, uint32](b, ruleLayers)
	case objectRecordKindRECORD_PLACES:
		return withList[placesRecord, uint64](b, int(objectLimitPLACE_WORDS))
	case objectRecordKindRECORD_WAYS:
		return withList[waysRecord, uint64](b, maxWayWords)
	}
	return nil, nil
}

// alone decodes a record that nothing follows.
func alone[T any](b []byte) (record any, rest []byte) {
	if r, rest := head[T](b); r != nil && len(rest) == 0 {
		return r, nil
	}
	return nil, nil
}

// withPath decodes a record that a text follows, and cuts that off at its NUL.
func withPath[T any](b []byte) (record any, path []byte) {
	r, rest := head[T](b)
	if path, _, ended := bytes.Cut(rest, []byte{0}); ended {
		return r, path
	}
	return nil, nil
}

// withList decodes a record that a number of elements follow, which listOf returns.
func withList[T, E any](b []byte, most int) (record any, list []byte) {
	size := int(unsafe.Sizeof(*new(E)))
	if r, rest := head[T](b); r != nil && len(rest)%size == 0 && len(rest) <= most*size {
		return r, rest
	}
	return nil, nil
}

// head returns the record that b begins with, and the rest, or nil if b is too short.
func head[T any](b []byte) (*T, []byte) {
	size := int(unsafe.Sizeof(*new(T)))
	if len(b) < size {
		return nil, nil
	}
	// The programs round all sizes up to 8 bytes, and the buffer that is read into is
	// aligned.
	return (*T)(unsafe.Pointer(unsafe.SliceData(b))), b[size:]
}

// listOf returns b as the elements that it consists of.
func listOf[E any](b []byte) []E {
	return unsafe.Slice((*E)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(E))))
}
