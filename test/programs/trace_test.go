// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"reflect"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// Lines as strace 6.13 wrote them.
const (
	ruleset = "<anon_inode:[landlock-ruleset]>"

	query  = "landlock_create_ruleset(NULL, 0, 0x1)   = 7"
	create = "landlock_create_ruleset({handled_access_fs=0x3fff, handled_access_net=0x3, " +
		"scoped=0x1}, 24, 0) = 4" + ruleset
	second = "landlock_create_ruleset({handled_access_fs=0x2}, 8, 0) = 4" + ruleset
	file   = "landlock_add_rule(4" + ruleset +
		", 0x1, {allowed_access=0xc, parent_fd=5</usr/lib>}, 0) = 0"
	port  = "landlock_add_rule(4" + ruleset + ", 0x2, {allowed_access=0x2, port=443}, 0) = 0"
	into  = "landlock_restrict_self(4" + ruleset + ", 0) = 0"
	logs  = "landlock_restrict_self(4" + ruleset + ", 0x7) = 0 (INJECTED: signal=SIGSTOP)"
	fork  = "clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7f6b3dc17710) = 20"
	inner = "clone(child_stack=NULL, flags=0x1200000|17) = 2 /* 30 in strace's PID NS */"
	// Threads share descriptors.
	sharing = "clone3({flags=0x3d0f00, exit_signal=0} => {parent_tid=[40]}, 88) = 40"
	clone   = "clone3({flags=0x3d0f00, exit_signal=0} => {parent_tid=[30]}, 88) = 30"
	end     = "+++ exited with 0 +++"
	// In the file of a process, of which the thread 40 executed a program.
	superseded40 = "+++ superseded by execve in pid 40 +++"
)

func text(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

func TestTrace(t *testing.T) {
	outer := Layer{access.Rights{access.FS: 0x3fff, access.Net: 3, access.Scope: 1}, []Rule{
		{Class: access.FS, Path: "/usr/lib", Rights: 0xc},
		{Class: access.Net, Port: 443, Rights: 2},
	}}
	// What a thread does before another one, and what after, nobody wrote down.
	shared := Layer{access.Rights{access.FS: 0x3fff, access.Net: 3, access.Scope: 1}, []Rule{
		{Class: access.FS, Path: "/usr/lib", Rights: 0xc},
		{Class: access.Net, Port: 443, Rights: 2},
	}}
	nested := Layer{access.Rights{access.FS: 2}, nil}
	for _, c := range []struct {
		name  string
		files map[int32]string
		want  Trace
	}{
		{"nothing yet", nil, Trace{}},
		{"free", map[int32]string{10: text(query)}, Trace{[]Task{{TID: 10}}, true}},
		{
			"what is born has the layers of that moment",
			map[int32]string{
				10: text(query, create, fork, file, port, into, inner, second, logs),
				20: "",
				30: text("--- stopped by SIGSTOP ---"),
			},
			Trace{[]Task{{10, []Layer{outer, nested}}, {20, nil}, {30, []Layer{outer}}}, true},
		},
		{
			"the dead hand on what they had",
			map[int32]string{
				10: text(create, file, port, into, fork, end),
				20: text(second, into, clone, end),
				30: "",
			},
			Trace{[]Task{{30, []Layer{outer, nested}}}, true},
		},
		{
			"what fails does nothing",
			map[int32]string{10: text(
				"landlock_create_ruleset({handled_access_fs=0x7fffffff}, 8, 0) = -1 EINVAL (Invalid argument)",
				"landlock_restrict_self(4"+ruleset+", 0) = -1 EPERM (Operation not permitted)",
				"clone3({flags=0x3d0f00}, 88) = ? ERESTARTNOINTR (To be restarted)",
			)},
			Trace{[]Task{{TID: 10}}, true},
		},
		{
			"a rule that comes later is in no domain",
			map[int32]string{10: text(second, into, file)},
			Trace{[]Task{{10, []Layer{nested}}}, true},
		},
		{
			"a call that goes on",
			map[int32]string{10: text(second) + into[:30]},
			Trace{[]Task{{TID: 10}}, false},
		},
		{
			"threads restrict themselves by the ruleset of one of them",
			map[int32]string{10: text(sharing, create, into), 40: text(file, into, port)},
			Trace{[]Task{{10, []Layer{shared}}, {40, []Layer{shared}}}, true},
		},
		{
			"the ruleset of a thread that is not known yet",
			map[int32]string{10: text(sharing, fork), 40: text(into)},
			Trace{},
		},
		{
			"a thread that executes a program is the process from then on",
			map[int32]string{
				10: text(sharing, fork, superseded40, second, into, clone),
				20: "", 30: "", 40: text(create, file, port, into),
			},
			Trace{
				[]Task{{10, []Layer{outer, nested}}, {20, nil}, {30, []Layer{outer, nested}}},
				true,
			},
		},
		{"a thread without a file executes", map[int32]string{10: text(superseded40)}, Trace{}},
		{
			"a thread that executes a program, of which half a line was read",
			map[int32]string{10: text(sharing, superseded40, second), 40: text(create) + into[:30]},
			Trace{},
		},
		{
			"a thread that ends after it executed a program",
			map[int32]string{10: text(sharing, superseded40, fork, end), 20: "", 40: text(second, into)},
			Trace{[]Task{{20, []Layer{nested}}}, true},
		},
		{"a child without a file", map[int32]string{10: text(fork)}, Trace{[]Task{{TID: 10}}, false}},
		{
			"a child without a parent",
			map[int32]string{10: text(query), 20: ""},
			Trace{[]Task{{TID: 10}, {TID: 20}}, false},
		},
	} {
		got, err := parseTrace(c.files)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%+v, %v; want\n%+v", c.name, got, err, c.want)
		}
	}
}

// Whatever is not understood is an error, and not a sandbox less.
func TestTraceIsStrict(t *testing.T) {
	replace := func(line, old, new string) string {
		if !strings.Contains(line, old) {
			t.Fatalf("%q has no %q", line, old)
		}
		return strings.ReplaceAll(line, old, new)
	}
	for name, files := range map[string]map[int32]string{
		"empty line":             {10: text("")},
		"another system call":    {10: text("landlock_undo(4) = 0")},
		"unknown query":          {10: text(replace(query, "0x1", "0x4"))},
		"unknown creation flag":  {10: text(replace(create, "24, 0)", "24, 0x1)"))},
		"unknown class":          {10: text(replace(create, "scoped", "handled_permissions"))},
		"one more class":         {10: text(replace(create, "0x1}", "0x1, handled_permissions=0x1}"))},
		"bytes behind":           {10: text(replace(create, "0x1}", `0x1, /* bytes 24..31 */ "\x01"}`))},
		"mask of 33 bits":        {10: text(replace(create, "0x3fff", "0x100000000"))},
		"no ruleset":             {10: text(replace(create, "landlock-ruleset", "eventfd"))},
		"another kind of rule":   {10: text(create, replace(port, "0x2, {", "0x3, {"))},
		"a port as a path":       {10: text(create, replace(port, "0x2, {", "0x1, {"))},
		"a path as a port":       {10: text(create, replace(file, "0x1, {", "0x2, {"))},
		"a flag of a rule":       {10: text(create, replace(file, "}, 0)", "}, 0x1)"))},
		"a path that is gone":    {10: text(create, replace(file, "/usr/lib>", "/usr/lib>(deleted)"))},
		"a path with escapes":    {10: text(create, replace(file, "/usr/lib", `/usr/\76`))},
		"all threads at once":    {10: text(create, replace(into, ", 0)", ", 0x8)"))},
		"no ruleset, for logs":   {10: text("landlock_restrict_self(-1, 0x4) = 0")},
		"another's ruleset":      {10: text(create, fork), 20: text(into)},
		"a rule in another's":    {10: text(file)},
		"a thread's, made twice": {10: text(sharing, create, create), 40: text(into)},
		"flags that are none":    {10: text(replace(sharing, "0x3d0f00", "CLONE_VM")), 40: ""},
		"an unknown result":      {10: text(replace(fork, "= 20", "= ?"))},
		"a line after the end":   {10: text(end, query)},
		"superseded by itself":   {40: text(superseded40)},
		"superseded by the dead": {10: text(sharing, superseded40, query), 40: text(end)},
		"superseded twice":       {10: text(sharing, superseded40, superseded40), 40: ""},
		"a call that was cut":    {10: text("clone(child_stack=NULL <unfinished ...>")},
		"born twice":             {10: text(fork, fork), 20: ""},
		"its own child":          {20: text(fork)},
		"descends from itself":   {20: text(clone), 30: text(fork)},
		"nested and unfinished":  {10: text(create, replace(into, " = 0", " = ?"))},
		"a version in no number": {10: text(replace(query, "= 7", "= seven"))},
	} {
		if got, err := parseTrace(files); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
