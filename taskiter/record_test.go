// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// collected is a record, and what followed it.
type collected struct {
	record any
	rest   string
}

// collectSink keeps all that it is handed.
type collectSink []collected

func (c *collectSink) take(record any, rest []byte) {
	*c = append(*c, collected{reflect.ValueOf(record).Elem().Interface(), string(rest)})
}

// encode lays out a record whose fields and whatever follows it are in parts, of
// which the first begins with room for the header.
func encode(kind objectRecordKind, parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		if err := binary.Write(&b, binary.NativeEndian, p); err != nil {
			panic(err)
		}
	}
	binary.NativeEndian.PutUint16(b.Bytes(), uint16(kind))
	binary.NativeEndian.PutUint16(b.Bytes()[2:], uint16(b.Len()))
	return b.Bytes()
}

// padded returns a path as it follows a record.
func padded(path string) []byte {
	return append([]byte(path), make([]byte, 8-len(path)%8)...)
}

func encodeExe(path string) []byte {
	return encode(objectRecordKindRECORD_EXE, exeRecord{Pid: 1}, padded(path))
}

func encodeEnd() []byte { return encode(objectRecordKindRECORD_END, endRecord{}) }

// someRecords are records of every kind, in which no two fields are equal, so that
// none can stand for another, and what parse makes of them.
func someRecords() (b []byte, want collectSink) {
	h := func(kind objectRecordKind, size uint16) objectHeader {
		return objectHeader{Kind: uint16(kind), Size: size}
	}
	rules := []ruleEntry{
		{Object: 7 << 40, Dev: 8, Access: 9, Bits: 10, Level: 11, Place: 17},
		{Object: 12 << 40, Dev: 13, Access: 14, Bits: 15, Level: 16, Place: 18},
	}
	var ruleBytes bytes.Buffer
	if err := binary.Write(&ruleBytes, binary.NativeEndian, rules); err != nil {
		panic(err)
	}
	masks := []uint32{13, 14, 15, 16}
	maskBytes, _ := binary.Append(nil, binary.NativeEndian, masks)
	for _, r := range []struct {
		kind    objectRecordKind
		record  any
		follows []byte
		rest    string
	}{
		{kind: objectRecordKindRECORD_TASK, record: objectTaskRecord{
			H: h(objectRecordKindRECORD_TASK, 128), Tid: 1, Pid: 2, Ppid: 3, Flags: 4, Bits: 5, View: 21, ExitState: 6, Space: 24, NrThreads: 7,
			Start: 8 << 40, ExecId: 9 << 40, Domain: 11 << 40, Acting: 23 << 40, Cgroup: 12 << 40, CgroupV1: 13 << 40,
			Exits: 10, Account: 22, Euid: 14, UserNs: 15, MntNsOwner: 16, Seccomp: 17, Depth: 18, Egid: 25,
			Comm: [16]uint8{'c', 0xff, '\n', 15: 'x'},
		}},
		{kind: objectRecordKindRECORD_DOMAIN, record: domainRecord{
			H: h(objectRecordKindRECORD_DOMAIN, 64), Depth: 1, LogStatus: 9, Key: 2 << 40, Parent: 3 << 40, Denials: 4 << 40, Mask: 5,
			NumRules: 6, CreatorPid: 7, CreatorUid: 8, CreatorComm: [16]uint8{15: 'y'},
		}},
		{
			objectRecordKindRECORD_EXE,
			exeRecord{H: h(objectRecordKindRECORD_EXE, 40), Pid: 7, Bits: exeHostTree, ExecId: 8 << 40}, padded("/bin/x y"), "/bin/x y",
		},
		{objectRecordKindRECORD_EXE, exeRecord{H: h(objectRecordKindRECORD_EXE, 32), Pid: -1, ExecId: 9}, padded(""), ""},
		{kind: objectRecordKindRECORD_SLOT, record: slotRecord{
			H: h(objectRecordKindRECORD_SLOT, 60), Tid: 1, Slot: 2, Kthread: 1, NumLayers: 3, Chain: 4,
			Masks: [helperLayers]uint32{5, 6, 7, 8, 9, 10, 11},
		}},
		{
			objectRecordKindRECORD_RULES, rulesRecord{
				H: h(objectRecordKindRECORD_RULES, 56+48), Tid: 1, Start: 2 << 40, ExecId: 3 << 40, Domain: 4 << 40, Next: 5 << 40, Tree: 6,
				Done: 1, NumLayers: 7, NumRules: 2,
			}, ruleBytes.Bytes(), ruleBytes.String(),
		},
		{
			objectRecordKindRECORD_LAUNCHER, launcherRecord{H: h(objectRecordKindRECORD_LAUNCHER, 16+256), Key: 10 << 40},
			append([]byte("/bin/a b"), make([]byte, 248)...), "/bin/a b",
		},
		{objectRecordKindRECORD_GRANTS, grantsRecord{H: h(objectRecordKindRECORD_GRANTS, 24), Tid: 12}, maskBytes, string(maskBytes)},
		{kind: objectRecordKindRECORD_OBJECT, record: objectRecord{H: h(objectRecordKindRECORD_OBJECT, 16), Tid: 18, Slot: 19, Proven: 1}},
		{
			objectRecordKindRECORD_WAYS, waysRecord{H: h(objectRecordKindRECORD_WAYS, 32), Space: 1, Bits: 2, NumWords: 3},
			maskBytes, string(maskBytes),
		},
		{
			objectRecordKindRECORD_PLACES, placesRecord{H: h(objectRecordKindRECORD_PLACES, 24), NumWords: 4},
			maskBytes, string(maskBytes),
		},
		{kind: objectRecordKindRECORD_END, record: endRecord{H: h(objectRecordKindRECORD_END, 8), PidLevel: 3}},
	} {
		b = append(b, encode(r.kind, r.record, r.follows)...)
		want = append(want, collected{r.record, r.rest})
	}
	return b, want
}

func TestParseRoundTrip(t *testing.T) {
	b, want := someRecords()
	var got collectSink
	if err := parse(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d records of %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("record %d of someRecords\ngot  %+v\nwant %+v", i, got[i], want[i])
		}
	}
	rules, masks := listOf[ruleEntry]([]byte(want[5].rest)), listOf[uint32]([]byte(want[7].rest))
	if len(rules) != 2 || rules[1].Level != 16 || len(masks) != 4 || masks[3] != 16 {
		t.Errorf("rules %+v, masks %v", rules, masks)
	}
}

// TestParsePathLengths: every length up to the longest, which has no room for
// more behind its NUL.
func TestParsePathLengths(t *testing.T) {
	for n := range int(objectLimitEXE_MAX) {
		path := strings.Repeat("p", n)
		var got collectSink
		if err := parse(append(encodeExe(path), encodeEnd()...), &got); err != nil || len(got) != 2 || got[0].rest != path {
			t.Fatalf("path of %d bytes: %v, %d records", n, err, len(got))
		}
	}
}

// TestParseTruncated: a buffer that was cut anywhere gives the whole records
// before the cut, and an error unless the cut is between two.
func TestParseTruncated(t *testing.T) {
	b, _ := someRecords()
	ends := map[int]int{0: 0} // number of records by position
	for pos, n := 0, 0; pos < len(b); {
		pos += int(binary.NativeEndian.Uint16(b[pos+2:]))
		n++
		ends[pos] = n
	}
	whole := 0
	for cut := range len(b) + 1 {
		var got collectSink
		err := parse(b[:cut:cut], &got)
		n, between := ends[cut]
		if between {
			whole = n
		}
		if (err == nil) != between || len(got) != whole {
			t.Errorf("cut at %d: error %v, %d records, want %d", cut, err, len(got), whole)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"kind 0":                  encode(0, uint64(0)),
		"a kind that is not used": encode(objectRecordKindRECORD_OBJECT+1, endRecord{}),
		"size 0":                  {byte(objectRecordKindRECORD_END), 0, 0, 0, 0, 0, 0, 0},
		"a task too short":        encode(objectRecordKindRECORD_TASK, make([]byte, 112)),
		"a task too long":         encode(objectRecordKindRECORD_TASK, objectTaskRecord{}, uint64(0)),
		"an object too long":      encode(objectRecordKindRECORD_OBJECT, objectRecord{}, uint64(0)),
		"an end too short":        encode(objectRecordKindRECORD_END, uint32(0)),
		"an exe without a path":   encode(objectRecordKindRECORD_EXE, exeRecord{}),
		"a path without an end":   encode(objectRecordKindRECORD_EXE, exeRecord{}, []byte("no NUL..")),
		"rules too short":         encode(objectRecordKindRECORD_RULES, make([]byte, 48)),
		"half a rule":             encode(objectRecordKindRECORD_RULES, rulesRecord{}, make([]byte, 12)),
		"too many rules":          encode(objectRecordKindRECORD_RULES, rulesRecord{}, make([]ruleEntry, rulesMax+1)),
		"a launcher without an end": encode(objectRecordKindRECORD_LAUNCHER, launcherRecord{},
			bytes.Repeat([]byte("p"), int(objectLimitLAUNCHER_MAX))),
		"a launcher too short":      encode(objectRecordKindRECORD_LAUNCHER, uint64(0)),
		"grants of half a mask":     encode(objectRecordKindRECORD_GRANTS, grantsRecord{}, uint16(0)),
		"grants of too many layers": encode(objectRecordKindRECORD_GRANTS, grantsRecord{}, make([]uint32, ruleLayers+1)),
	} {
		var got collectSink
		if err := parse(append(b, encodeEnd()...), &got); err == nil || len(got) != 0 {
			t.Errorf("%s: error %v, %d records handed over", name, err, len(got))
		}
	}
}

// TestParseAllocatesNothing for the records that a pass has for each task.
func TestParseAllocatesNothing(t *testing.T) {
	b, _ := someRecords()
	p := pass{}
	p.reset()
	if err := p.block(b); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		p.stream, p.at, p.granted = p.stream[:0], p.at[:0], p.granted[:0]
		p.exes, p.grantees = p.exes[:0], p.grantees[:0]
		_ = p.block(b)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	b, _ := someRecords()
	f.Add(b)
	f.Add(b[:100])
	f.Add([]byte{})
	f.Add([]byte{byte(objectRecordKindRECORD_END), 0, 0, 0})
	f.Add([]byte{byte(objectRecordKindRECORD_EXE), 0, 16, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got collectSink
		err := parse(b, &got)
		// What was handed over must be a whole number of records at the
		// beginning, and all of them if there is no error.
		pos := 0
		for range got {
			pos += int(binary.NativeEndian.Uint16(b[pos+2:]))
		}
		if err == nil && pos != len(b) {
			t.Fatalf("no error, but only %d of %d bytes were handed over", pos, len(b))
		}
		if err != nil && pos == len(b) {
			t.Fatalf("error %v behind the last byte", err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("byte %d of %d", pos, len(b))) {
			t.Fatalf("error %q, but the first that was not handed over is byte %d", err, pos)
		}
		for _, c := range got {
			if _, ok := c.record.(exeRecord); ok && strings.ContainsRune(c.rest, 0) {
				t.Fatalf("path %q", c.rest)
			}
		}
		// A pass takes whatever it is handed.
		p := pass{}
		p.reset()
		_ = p.block(b)
		for i := range p.at {
			_ = p.record(i).key()
		}
	})
}

// TestObjectMaps: what user space relies on in the object.
func TestObjectMaps(t *testing.T) {
	spec, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{objectProgScan, objectProgCalibrate, objectProgRules} {
		if p := spec.Programs[name]; p == nil || p.License != "GPL" {
			t.Errorf("program %s is not there, or not GPL, which bpf_probe_read_kernel needs", name)
		}
	}
	if m := spec.Maps[objectMapControl]; m == nil || uintptr(m.ValueSize) != unsafe.Sizeof(controlBlock{}) {
		t.Errorf("control map: %+v", m)
	}
}

// headerProgram writes the records of someRecords by the structures of bpf/record.h
// itself.
const headerProgram = `
#include <linux/types.h>
#include <stdio.h>
#include "record.h"

#define W(r) fwrite(&r, sizeof(r), 1, stdout)

int main(void)
{
	struct task_record t = {
		.h = { RECORD_TASK, sizeof(t) }, .tid = 1, .pid = 2, .ppid = 3, .flags = 4, .bits = 5, .exit_state = 6, .space = 24,
		.nr_threads = 7, .start = 8ULL << 40, .exec_id = 9ULL << 40, .exits = 10,
		.domain = 11ULL << 40, .acting = 23ULL << 40, .view = 21, .account = 22, .cgroup = 12ULL << 40, .cgroup_v1 = 13ULL << 40, .euid = 14, .egid = 25, .user_ns = 15,
		.mnt_ns_owner = 16, .seccomp = 17, .depth = 18, .comm = { 'c', 0xff, '\n', [15] = 'x' },
	};
	struct domain_record d = {
		.h = { RECORD_DOMAIN, sizeof(d) }, .depth = 1, .log_status = 9, .key = 2ULL << 40, .parent = 3ULL << 40, .denials = 4ULL << 40,
		.mask = 5, .num_rules = 6, .creator_pid = 7, .creator_uid = 8, .creator_comm = { [15] = 'y' },
	};
	struct exe_record e = { .h = { RECORD_EXE, 40 }, .pid = 7, .bits = EXE_HOST_TREE, .exec_id = 8ULL << 40 };
	struct exe_record f = { .h = { RECORD_EXE, 32 }, .pid = -1, .exec_id = 9 };
	struct slot_record s = {
		.h = { RECORD_SLOT, sizeof(s) }, .tid = 1, .slot = 2, .kthread = 1, .num_layers = 3, .chain = 4,
		.masks = { 5, 6, 7, 8, 9, 10, 11 },
	};
	static struct rules_record r = {
		.tid = 1, .start = 2ULL << 40, .exec_id = 3ULL << 40, .domain = 4ULL << 40, .next = 5ULL << 40, .tree = 6,
		.done = 1, .num_layers = 7, .num_rules = 2,
	};
	static struct rule_entry entries[2] = {
		{ .object = 7ULL << 40, .dev = 8, .access = 9, .bits = 10, .level = 11, .place = 17 },
		{ .object = 12ULL << 40, .dev = 13, .access = 14, .bits = 15, .level = 16, .place = 18 },
	};
	struct launcher_record l = { .h = { RECORD_LAUNCHER, sizeof(l) + LAUNCHER_MAX }, .key = 10ULL << 40 };
	static char launcher[LAUNCHER_MAX] = "/bin/a b", path[16] = "/bin/x y", empty[8];
	struct grants_record grants = { .h = { RECORD_GRANTS, 24 }, .tid = 12 };
	static __u32 everywhere[4] = { 13, 14, 15, 16 };
	struct object_record o = { .h = { RECORD_OBJECT, sizeof(o) }, .tid = 18, .slot = 19, .proven = 1 };
	struct ways_record ways = {
		.h = { RECORD_WAYS, 32 }, .space = 1, .bits = 2, .num_words = 3,
	};
	struct places_record places = { .h = { RECORD_PLACES, 24 }, .num_words = 4 };
	struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = 3 };

	r.h.kind = RECORD_RULES;
	r.h.size = sizeof(r) + sizeof(entries);
	W(t);
	W(d);
	W(e);
	W(path);
	W(f);
	W(empty);
	W(s);
	W(r);
	W(entries);
	W(l);
	W(launcher);
	W(grants);
	W(everywhere);
	W(o);
	W(ways);
	W(everywhere);
	W(places);
	W(everywhere);
	W(end);
	return 0;
}
`

func TestRecordHeader(t *testing.T) {
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "header.c"), filepath.Join(dir, "header")
	if err := os.WriteFile(source, []byte(headerProgram), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-Wall", "-Wpadded", "-Werror", "-I", "bpf", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("compile with bpf/record.h (a C compiler is needed): %v\n%s", err, out)
	}
	got, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := someRecords(); !bytes.Equal(got, want) {
		t.Errorf("bpf/record.h gives\n%x\nhere\n%x", got, want)
	}
}
