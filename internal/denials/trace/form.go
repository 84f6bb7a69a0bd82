// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/bpffile"
)

// config is what resolve finds.
type config = objectForms

// The tracepoints, as the programs are called that read them (bpf/trace.c).
const (
	denyFS       = "landlock_deny_access_fs"
	denyNet      = "landlock_deny_access_net"
	denyPtrace   = "landlock_deny_ptrace"
	denySignal   = "landlock_deny_scope_signal"
	denyAbstract = "landlock_deny_scope_abstract_unix_socket"
)

// resolve looks at the tracepoints' arguments. They have changed before they were
// released, and distributions backport, so that their types decide and no version.
func resolve(types bpffile.TypeFinder) (config, error) {
	var c config
	const mask, blockers = "u32 ", "*landlock_blockers "
	same := func() {}
	for _, tp := range []struct {
		name string
		more bool // others may follow
		// forms are what the arguments may be, behind the three that all have.
		forms map[string]func()
	}{
		{name: denyFS, forms: map[string]func(){
			mask + "*path *char":     same,
			blockers + "*path *char": func() { c.FsPointer = 1 },
		}},
		{name: denyNet, forms: map[string]func(){
			mask + "*sock u64 u64":               same,
			blockers + "*sock u64 u64":           func() { c.NetPointer = 1 },
			mask + "*sock u16 *sockaddr u32":     func() { c.NetAddress = 1 },
			blockers + "*sock u16 *sockaddr u32": func() { c.NetPointer, c.NetAddress = 1, 1 },
		}},
		{name: denyPtrace, forms: map[string]func(){
			"u64 *task_struct":              same,
			"u64 *task_struct *task_struct": func() { c.Tracer = 1 },
		}},
		{name: denySignal, more: true, forms: map[string]func(){"u64 *task_struct": same}},
		{name: denyAbstract, more: true, forms: map[string]func(){"u64 *sock": same}},
	} {
		args, err := arguments(types, tp.name)
		if err != nil {
			return c, err
		}
		known := args
		if tp.more {
			known = args[:min(len(args), 5)]
		}
		form, ofAll := strings.CutPrefix(strings.Join(known, " "), "*landlock_hierarchy bool bool ")
		set, ok := tp.forms[form]
		if !ok || !ofAll {
			return c, failure(UnknownForm, tp.name+" has arguments that are not known here",
				errors.New(strings.Join(args, ", ")))
		}
		set()
	}
	if haveFlags(types) {
		c.Flags = 1
	}
	return c, nil
}

// haveFlags reports whether the two flags that all tracepoints have are those that are known:
// their types are the same.
func haveFlags(types bpffile.TypeFinder) bool {
	for _, tp := range [...]string{denyFS, denyNet, denyPtrace, denySignal, denyAbstract} {
		var f *btf.Func
		if err := types.TypeByName("__bpf_trace_"+tp, &f); err != nil {
			return false
		}
		// Behind the tracepoint's own data and the domain.
		proto, ok := f.Type.(*btf.FuncProto)
		if !ok || len(proto.Params) < 4 || proto.Params[2].Name != "same_exec" ||
			proto.Params[3].Name != "logged" {
			return false
		}
	}
	return true
}

// arguments returns the types of a tracepoint's arguments: "u32" for an integer of
// four bytes, "*path" for a pointer to a structure.
func arguments(types bpffile.TypeFinder, tracepoint string) ([]string, error) {
	params, err := bpffile.TracepointArgs(types, tracepoint)
	switch {
	case errors.Is(err, btf.ErrNotFound):
		return nil, failure(Absent, "this kernel has none that is called "+tracepoint+
			" (Linux 7.3 has, with CONFIG_SECURITY_LANDLOCK_LOG)", nil)
	case err != nil:
		return nil, failure(UnknownForm, "one that cannot be read", err)
	}
	var args []string
	for _, p := range params {
		args = append(args, describe(p.Type))
	}
	return args, nil
}

func describe(t btf.Type) string {
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Pointer:
		switch target := btf.UnderlyingType(t.Target).(type) {
		case *btf.Struct:
			// The structure has had several names.
			if strings.Contains(target.Name, "sockaddr") {
				return "*sockaddr"
			}
			return "*" + target.Name
		case *btf.Int:
			if target.Size == 1 {
				return "*char"
			}
		}
		return "*"
	case *btf.Int:
		if t.Encoding == btf.Bool {
			return "bool"
		}
		return fmt.Sprintf("u%d", 8*t.Size)
	default:
		return fmt.Sprintf("%T", t)
	}
}
