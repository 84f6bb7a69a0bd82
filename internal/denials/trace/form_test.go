// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/scan"
)

// fakeTypes has tracepoints with arguments as form.go writes them.
type fakeTypes map[string]string

func (f fakeTypes) TypeByName(name string, typ any) error {
	args, ok := f[strings.TrimPrefix(strings.TrimPrefix(name, "btf_trace_"), "__bpf_trace_")]
	if !ok {
		return btf.ErrNotFound
	}
	proto := &btf.FuncProto{Params: []btf.FuncParam{{Type: &btf.Pointer{Target: &btf.Void{}}}}}
	for arg := range strings.FieldsSeq(args) {
		proto.Params = append(proto.Params, btf.FuncParam{Type: typeOf(arg)})
	}
	switch typ := typ.(type) {
	case **btf.Typedef:
		*typ = &btf.Typedef{Name: name, Type: &btf.Pointer{Target: proto}}
	case **btf.Func:
		// Only functions have names for what they are called with.
		for i, name := range [...]string{"__data", "hierarchy", f["first flag"], "logged"} {
			proto.Params[i].Name = name
		}
		*typ = &btf.Func{Name: name, Type: proto}
	}
	return nil
}

func typeOf(arg string) btf.Type {
	switch arg {
	case "*char":
		return &btf.Pointer{Target: &btf.Const{Type: &btf.Int{Size: 1, Encoding: btf.Char}}}
	case "bool":
		return &btf.Typedef{Name: "bool", Type: &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}}
	}
	if name, ok := strings.CutPrefix(arg, "*"); ok {
		return &btf.Pointer{Target: &btf.Const{Type: &btf.Struct{Name: name}}}
	}
	var bits uint32
	if _, err := fmt.Sscanf(arg, "u%d", &bits); err != nil {
		panic(arg)
	}
	return &btf.Typedef{Name: arg, Type: &btf.Int{Size: bits / 8}}
}

// with returns the tracepoints of a kernel, some of them changed.
func with(change map[string]string) fakeTypes {
	const same = "*landlock_hierarchy bool bool "
	// As Debian's Linux 7.3.4 has them.
	f := fakeTypes{
		"first flag": "same_exec",
		denyFS:       same + "*landlock_blockers *path *char", denyNet: same + "*landlock_blockers *sock u16 *__kernel_sockaddr_storage u32",
		denyPtrace: same + "u64 *task_struct *task_struct", denySignal: same + "u64 *task_struct u32", denyAbstract: same + "u64 *sock",
	}
	for name, args := range change {
		switch {
		case args == "":
			delete(f, name)
		case name == "first flag":
			f[name] = args
		default:
			f[name] = same + args
		}
	}
	return f
}

func found(fs, net, address, tracer uint32) config {
	return config{FsPointer: fs, NetPointer: net, NetAddress: address, Tracer: tracer, Flags: 1}
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string
		want   config
		reason string
	}{
		"7.3.4": {nil, found(1, 1, 1, 1), ""},
		"as proposed first": {map[string]string{
			denyFS: "u32 *path *char", denyNet: "u32 *sock u64 u64", denyPtrace: "u64 *task_struct", denySignal: "u64 *task_struct",
		}, found(0, 0, 0, 0), ""},
		"masks and an address":   {map[string]string{denyNet: "u32 *sock u16 *sockaddr u32"}, found(1, 0, 1, 1), ""},
		"blockers and two ports": {map[string]string{denyNet: "*landlock_blockers *sock u64 u64"}, found(1, 1, 0, 1), ""},
		"flags that are not known": {map[string]string{"first flag": "other"},
			config{FsPointer: 1, NetPointer: 1, NetAddress: 1, Tracer: 1}, ""},
		"one is absent":              {map[string]string{denySignal: ""}, config{}, Absent},
		"a mask of another size":     {map[string]string{denyFS: "u64 *path *char"}, config{}, UnknownForm},
		"arguments change places":    {map[string]string{denyFS: "*landlock_blockers *char *path"}, config{}, UnknownForm},
		"one more that matters":      {map[string]string{denyPtrace: "u64 *task_struct *task_struct u32"}, config{}, UnknownForm},
		"one more behind all others": {map[string]string{denyAbstract: "u64 *sock u32"}, found(1, 1, 1, 1), ""},
		"one less":                   {map[string]string{denyAbstract: "u64"}, config{}, UnknownForm},
	} {
		got, err := resolve(with(c.change))
		var e *scan.Error
		switch {
		case c.reason == "" && (err != nil || got != c.want):
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		case c.reason != "" && (!errors.As(err, &e) || e.Reason != c.reason || !errors.Is(err, e.Kind) || e.Error() == ""):
			t.Errorf("%s: %+v, %v, want %s", name, got, err, c.reason)
		}
	}
	none := fakeTypes{}
	if _, err := resolve(none); err == nil {
		t.Error("a kernel without tracepoints has some")
	}
}
