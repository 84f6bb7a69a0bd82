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

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/scan"
)

// collectSink keeps all that it is handed.
type collectSink struct {
	tasks   []taskRecord
	domains []domainRecord
	slots   []slotRecord
	exes    []collectedExe
	ruled   []collectedRules
	ends    []uint32
	order   []uint16

	launchers []collectedExe // the key as exec
	granted   []collectedGrants
	acting    []pending
	objects   []objectRecord
}

type collectedGrants struct {
	tid   int32
	masks []uint32
}

type collectedExe struct {
	pid  int32
	bits uint32
	exec uint64
	path string
}

func (c *collectSink) task(r taskRecord) {
	c.tasks, c.order = append(c.tasks, r), append(c.order, kindTask)
}

func (c *collectSink) domain(r domainRecord) {
	c.domains, c.order = append(c.domains, r), append(c.order, kindDomain)
}

func (c *collectSink) exe(pid int32, exec uint64, bits uint32, path []byte) {
	c.exes, c.order = append(c.exes, collectedExe{pid, bits, exec, string(path)}), append(c.order, kindExe)
}

func (c *collectSink) slot(r slotRecord) {
	c.slots, c.order = append(c.slots, r), append(c.order, kindSlot)
}

func (c *collectSink) rules(r *rulesRecord) {
	got := collectedRules{rulesRecord: *r}
	got.rules = nil
	for i := range r.entries() {
		got.all = append(got.all, r.entry(i))
	}
	c.ruled, c.order = append(c.ruled, got), append(c.order, kindRules)
}

func (c *collectSink) launcher(key uint64, path []byte) {
	c.launchers, c.order = append(c.launchers, collectedExe{0, 0, key, string(path)}), append(c.order, kindLauncher)
}

func (c *collectSink) grants(tid int32, everywhere []byte) {
	masks := make([]uint32, len(everywhere)/4)
	for i := range masks {
		masks[i] = binary.NativeEndian.Uint32(everywhere[4*i:])
	}
	c.granted, c.order = append(c.granted, collectedGrants{tid, masks}), append(c.order, kindGrants)
}

func (c *collectSink) worker(tid int32, acting uint64) {
	c.acting, c.order = append(c.acting, pending{tid: tid, acting: acting}), append(c.order, kindWorker)
}

func (c *collectSink) object(o objectRecord) {
	c.objects, c.order = append(c.objects, o), append(c.order, kindObject)
}

func (c *collectSink) end(level uint32) {
	c.ends, c.order = append(c.ends, level), append(c.order, kindEnd)
}

// collectedRules has the rules decoded.
type collectedRules struct {
	rulesRecord
	all []ruleEntry
}

// encoder lays records out as bpf/record.h does.
type encoder struct{ bytes.Buffer }

// put appends a record: its kind, its size, and the fields behind the header.
func (e *encoder) put(kind uint16, fields ...any) *encoder {
	var b bytes.Buffer
	for _, f := range fields {
		if err := binary.Write(&b, binary.NativeEndian, f); err != nil {
			panic(err)
		}
	}
	binary.Write(e, binary.NativeEndian, []uint16{kind, uint16(sizeHeader + b.Len())})
	e.Write(b.Bytes())
	return e
}

func (e *encoder) task(r taskRecord) *encoder {
	return e.put(kindTask, r.tid, r.pid, r.ppid, r.flags, r.bits, r.exitState, r.threads, r.start, r.exec,
		r.exits, r.domain, r.view, r.account, r.cgroup, r.cgroupV1, r.euid, r.userNS, r.mntNSOwner, r.seccomp, r.depth, r.comm)
}

func (e *encoder) domain(r domainRecord) *encoder {
	return e.put(kindDomain, r.depth, r.logStatus, r.key, r.parent, r.denials, r.mask, r.rules, r.creatorPID, r.creatorUID, r.creatorComm)
}

func (e *encoder) exe(pid int32, bits uint32, exec uint64, path string) *encoder {
	n := (len(path) + 1 + 7) / 8 * 8
	padded := make([]byte, n)
	copy(padded, path)
	return e.put(kindExe, pid, bits, uint32(0), exec, padded)
}

func (e *encoder) slot(r slotRecord) *encoder {
	flag := func(b bool) uint32 {
		if b {
			return 1
		}
		return 0
	}
	return e.put(kindSlot, r.tid, r.slot, flag(r.kthread), flag(r.set), r.numLayers, r.chain, r.masks)
}

func (e *encoder) rules(r collectedRules) *encoder {
	bits := uint32(0)
	if r.done {
		bits = rulesDone
	}
	fields := []any{
		r.task.tid, r.task.start, r.task.exec, r.domain, r.next, r.tree, bits, r.numLayers, uint32(len(r.all)),
	}
	for _, a := range r.all {
		fields = append(fields, a.object, a.dev, a.access, a.bits, a.level)
	}
	return e.put(kindRules, fields...)
}

func (e *encoder) launcher(key uint64, path string) *encoder {
	var padded [launcherMax]byte
	copy(padded[:], path)
	return e.put(kindLauncher, uint32(0), key, padded)
}

func (e *encoder) grants(tid int32, masks ...uint32) *encoder {
	return e.put(kindGrants, tid, masks)
}

func (e *encoder) worker(tid int32, acting uint64) *encoder { return e.put(kindWorker, tid, acting) }

func (e *encoder) object(o objectRecord) *encoder {
	proven := uint32(0)
	if o.proven {
		proven = 1
	}
	return e.put(kindObject, o.tid, o.slot, proven)
}

func (e *encoder) end(level uint32) *encoder { return e.put(kindEnd, level) }

// Records in which no two fields are equal, so that none can stand for another.
var (
	someTask = taskRecord{
		tid: 1, pid: 2, ppid: 3, flags: 4, bits: 5, exitState: 6, threads: 7, start: 8 << 40, exec: 9 << 40,
		exits: 10 << 40, domain: 11 << 40, view: 21, account: 22, cgroup: 12 << 40, cgroupV1: 13 << 40,
		euid: 14, userNS: 15, mntNSOwner: 16, seccomp: 17, depth: 18, comm: scan.Comm{'c', 0xff, '\n', 15: 'x'},
	}
	someDomain = domainRecord{
		depth: 1, logStatus: 9, key: 2 << 40, parent: 3 << 40, denials: 4 << 40, mask: 5, rules: 6,
		creatorPID: 7, creatorUID: 8, creatorComm: scan.Comm{15: 'y'},
	}
	someSlot = slotRecord{tid: 1, slot: 2, kthread: true, numLayers: 3, chain: 4, masks: [helperLayers]uint32{5, 6, 7, 8, 9, 10, 11}}
)

func someRules() collectedRules {
	var r collectedRules
	r.task, r.domain, r.next, r.tree, r.numLayers = taskKey{1, 2 << 40, 3 << 40}, 4<<40, 5<<40, 6, 7
	r.done = true
	r.all = []ruleEntry{{object: 7 << 40, dev: 8, access: 9, bits: 10, level: 11}, {object: 12 << 40, dev: 13, access: 14, bits: 15, level: 16}}
	return r
}

func someRecords() *encoder {
	e := &encoder{}
	return e.task(someTask).domain(someDomain).exe(7, exeHostTree, 8<<40, "/bin/x y").exe(-1, 0, 9, "").slot(someSlot).rules(someRules()).launcher(10<<40, "/bin/a b").
		grants(12, 13, 14, 15).worker(16, 17<<40).object(objectRecord{18, 19, true}).end(3)
}

func TestParseRoundTrip(t *testing.T) {
	var got collectSink
	if err := parse(someRecords().Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := collectSink{
		tasks: []taskRecord{someTask}, domains: []domainRecord{someDomain}, slots: []slotRecord{someSlot},
		exes: []collectedExe{{7, exeHostTree, 8 << 40, "/bin/x y"}, {-1, 0, 9, ""}}, ruled: []collectedRules{someRules()}, ends: []uint32{3},
		launchers: []collectedExe{{0, 0, 10 << 40, "/bin/a b"}},
		granted:   []collectedGrants{{12, []uint32{13, 14, 15}}}, acting: []pending{{tid: 16, acting: 17 << 40}},
		objects: []objectRecord{{18, 19, true}},
		order: []uint16{
			kindTask, kindDomain, kindExe, kindExe, kindSlot, kindRules, kindLauncher, kindGrants, kindWorker, kindObject, kindEnd,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestParsePathLengths: every length up to the longest, which has no room for
// more behind its NUL.
func TestParsePathLengths(t *testing.T) {
	for n := range 4096 {
		path := strings.Repeat("p", n)
		e := (&encoder{}).exe(1, 3, 2, path).end(0)
		var got collectSink
		if err := parse(e.Bytes(), &got); err != nil || len(got.exes) != 1 || got.exes[0].path != path || len(got.ends) != 1 {
			t.Fatalf("path of %d bytes: %v, %d paths", n, err, len(got.exes))
		}
	}
	if err := parse((&encoder{}).put(kindExe, int32(1), uint32(0), uint32(0), uint64(2), []byte("no NUL..")).Bytes(), nullSink{}); err == nil {
		t.Error("a path without an end was accepted")
	}
}

// TestParseTruncated: a buffer that was cut anywhere gives the whole records
// before the cut, and an error unless the cut is between two.
func TestParseTruncated(t *testing.T) {
	b := someRecords().Bytes()
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
		if (err == nil) != between || len(got.order) != whole {
			t.Errorf("cut at %d: error %v, %d records, want %d", cut, err, len(got.order), whole)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
	}{
		{"kind 0", (&encoder{}).put(0, uint32(0)).Bytes()},
		{"kind 7", (&encoder{}).put(7, uint32(0)).Bytes()},
		{"rules too short", (&encoder{}).put(kindRules, make([]byte, sizeRules-sizeHeader-8)).Bytes()},
		{"a launcher without an end", (&encoder{}).put(kindLauncher, make([]byte, sizeLauncher-launcherMax-sizeHeader), bytes.Repeat([]byte("p"), launcherMax)).Bytes()},
		{"a launcher too short", (&encoder{}).put(kindLauncher, make([]byte, sizeLauncher-sizeHeader-8)).Bytes()},
		{"grants of half a mask", (&encoder{}).put(kindGrants, make([]byte, sizeGrants-sizeHeader+2)).Bytes()},
		{"grants of too many layers", (&encoder{}).put(kindGrants, make([]byte, sizeGrants-sizeHeader+4*ruleLayers+4)).Bytes()},
		{"worker too short", (&encoder{}).put(kindWorker, uint32(0)).Bytes()},
		{"object too long", (&encoder{}).put(kindObject, make([]byte, sizeObject-sizeHeader+8)).Bytes()},
		{"half a rule", (&encoder{}).put(kindRules, make([]byte, sizeRules-sizeHeader+sizeRule/2)).Bytes()},
		{"size 0", []byte{kindEnd, 0, 0, 0, 0, 0, 0, 0}},
		{"task too short", (&encoder{}).put(kindTask, make([]byte, sizeTask-sizeHeader-8)).Bytes()},
		{"task too long", (&encoder{}).put(kindTask, make([]byte, sizeTask-sizeHeader+8)).Bytes()},
		{"exe without a path", (&encoder{}).put(kindExe, make([]byte, sizeExe-sizeHeader)).Bytes()},
		{"end too short", (&encoder{}).put(kindEnd).Bytes()},
	} {
		var got collectSink
		if err := parse(append(c.b, (&encoder{}).end(1).Bytes()...), &got); err == nil || len(got.order) != 0 {
			t.Errorf("%s: error %v, %d records handed over", c.name, err, len(got.order))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(someRecords().Bytes())
	f.Add([]byte{})
	f.Add([]byte{kindEnd, 0, 0, 0})
	f.Add([]byte{kindExe, 0, 16, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Add((&encoder{}).exe(1, 3, 2, "/x").task(someTask).Bytes()[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		var got collectSink
		err := parse(b, &got)
		// What was handed over must be a whole number of records at the
		// beginning, and all of them if there is no error.
		pos := 0
		for range got.order {
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
		for _, e := range got.exes {
			if strings.ContainsRune(e.path, 0) {
				t.Fatalf("path %q", e.path)
			}
		}
	})
}

// TestRecordSizes compares both sides of bpf/record.h: the sizes and offsets
// here with those that the compiler wrote into the object's BTF.
func TestRecordSizes(t *testing.T) {
	spec, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	find := func(name string) *btf.Struct {
		t.Helper()
		s, err := structByName(spec.Types, name)
		if err != nil {
			t.Skipf("the object has no BTF of struct %s", name)
		}
		return s
	}
	// The types of what is only on the stack need not be in the object.
	for name, size := range map[string]uint32{
		"task_record": sizeTask, "domain_record": sizeDomain, "end_record": sizeEnd, "slot_record": sizeSlot,
		"launcher_record": sizeLauncher,
		"worker_record":   sizeWorker, "object_record": sizeObject, "grants_record": sizeGrants + 4*ruleLayers, "header": sizeHeader,
	} {
		if s, err := structByName(spec.Types, name); err == nil && s.Size != size {
			t.Errorf("struct %s has %d bytes, here %d", name, s.Size, size)
		}
	}

	exe := find("exe_record")
	path, err := need(exe, "path")
	if err != nil || path.offset != sizeExe {
		t.Errorf("struct exe_record: path at %d (%v), here %d", path.offset, err, sizeExe)
	}
	if exe.Size > 32<<10 {
		t.Errorf("struct exe_record has %d bytes: more than one read returns", exe.Size)
	}

	l := find("layout")
	if size := uint32(unsafe.Sizeof(layout{})); l.Size != size {
		t.Errorf("struct layout has %d bytes, here %d", l.Size, size)
	}
	here := reflect.TypeFor[layout]()
	for i, m := range l.Members {
		name := strings.ReplaceAll(m.Name, "_", "")
		if i >= here.NumField() || !strings.EqualFold(here.Field(i).Name, name) {
			t.Errorf("member %d of struct layout is %s, here another", i, m.Name)
		}
	}

	c := find("control")
	if size := uint32(unsafe.Sizeof(controlBlock{})); c.Size != size {
		t.Errorf("struct control has %d bytes, here %d", c.Size, size)
	}
	here = reflect.TypeFor[controlBlock]()
	for i, m := range c.Members {
		if i >= here.NumField() {
			t.Fatalf("struct control has %d members, here %d", len(c.Members), here.NumField())
		}
		f := here.Field(i)
		if !strings.EqualFold(f.Name, strings.ReplaceAll(m.Name, "_", "")) || uint32(f.Offset) != m.Offset.Bytes() {
			t.Errorf("member %d of struct control is %s at %d, here %s at %d", i, m.Name, m.Offset.Bytes(), f.Name, f.Offset)
		}
		if size, err := btf.Sizeof(m.Type); err != nil || uintptr(size) != f.Type.Size() {
			t.Errorf("member %s of struct control has %d bytes (%v), here %d", m.Name, size, err, f.Type.Size())
		}
	}
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

// headerProgram writes the records of someRecords by the structures of
// bpf/record.h itself: types that are only on the BPF stack are in no BTF.
const headerProgram = `
#include <linux/types.h>
#include <stdio.h>
#include "record.h"

#define W(r) fwrite(&r, sizeof(r), 1, stdout)

int main(void)
{
	struct task_record t = {
		.h = { RECORD_TASK, sizeof(t) }, .tid = 1, .pid = 2, .ppid = 3, .flags = 4, .bits = 5, .exit_state = 6,
		.nr_threads = 7, .start = 8ULL << 40, .exec_id = 9ULL << 40, .exits = 10ULL << 40,
		.domain = 11ULL << 40, .view = 21, .account = 22, .cgroup = 12ULL << 40, .cgroup_v1 = 13ULL << 40, .euid = 14, .user_ns = 15,
		.mnt_ns_owner = 16, .seccomp = 17, .depth = 18, .comm = { 'c', 0xff, '\n', [15] = 'x' },
	};
	struct domain_record d = {
		.h = { RECORD_DOMAIN, sizeof(d) }, .depth = 1, .log_status = 9, .key = 2ULL << 40, .parent = 3ULL << 40, .denials = 4ULL << 40,
		.mask = 5, .num_rules = 6, .creator_pid = 7, .creator_uid = 8, .creator_comm = { [15] = 'y' },
	};
	struct exe_record e = { .h = { RECORD_EXE, 40 }, .pid = 7, .bits = EXE_HOST_TREE, .exec_id = 8ULL << 40, .path = "/bin/x y" };
	struct exe_record f = { .h = { RECORD_EXE, 32 }, .pid = -1, .exec_id = 9, .path = "" };
	struct slot_record s = {
		.h = { RECORD_SLOT, sizeof(s) }, .tid = 1, .slot = 2, .kthread = 1, .num_layers = 3, .chain = 4,
		.masks = { 5, 6, 7, 8, 9, 10, 11 },
	};
	static struct rules_record r = {
		.tid = 1, .start = 2ULL << 40, .exec_id = 3ULL << 40, .domain = 4ULL << 40, .next = 5ULL << 40, .tree = 6,
		.bits = RULES_DONE, .num_layers = 7, .num_rules = 2,
		.rules = { { .object = 7ULL << 40, .dev = 8, .access = 9, .bits = 10, .level = 11 },
			   { .object = 12ULL << 40, .dev = 13, .access = 14, .bits = 15, .level = 16 } },
	};
	struct launcher_record l = { .h = { RECORD_LAUNCHER, sizeof(l) }, .key = 10ULL << 40, .path = "/bin/a b" };
	struct grants_record grants = { .h = { RECORD_GRANTS, 20 }, .tid = 12, .everywhere = { 13, 14, 15 } };
	struct worker_record w = { .h = { RECORD_WORKER, sizeof(w) }, .tid = 16, .acting = 17ULL << 40 };
	struct object_record o = { .h = { RECORD_OBJECT, sizeof(o) }, .tid = 18, .slot = 19, .proven = 1 };
	struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = 3 };

	r.h.kind = RECORD_RULES;
	r.h.size = __builtin_offsetof(struct rules_record, rules) + 2 * sizeof(struct rule_entry);
	W(t);
	W(d);
	fwrite(&e, e.h.size, 1, stdout);
	fwrite(&f, f.h.size, 1, stdout);
	W(s);
	fwrite(&r, r.h.size, 1, stdout);
	W(l);
	fwrite(&grants, grants.h.size, 1, stdout);
	W(w);
	W(o);
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
	if want := someRecords().Bytes(); !bytes.Equal(got, want) {
		t.Errorf("bpf/record.h gives\n%x\nhere\n%x", got, want)
	}
}
