// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
)

// fake is a host's iterator and attribute.
type fake struct {
	info         scan.SourceInfo
	unprivileged bool
	noWays       string
	newer        []string
	hidePID      string
	ownDepth     int
	snap         *scan.Snapshot
	err          error
}

func (f fake) Scan(context.Context) (*scan.Snapshot, error) { return f.snap, f.err }
func (f fake) Close() error                                 { return nil }
func (f fake) Info() scan.SourceInfo                        { return f.info }
func (f fake) CredentialsOffset() int                       { return 8 }
func (f fake) Unprivileged() bool                           { return f.unprivileged }
func (f fake) Layout() taskiter.Layout                      { return taskiter.Layout{} }
func (f fake) File() string                                 { return "attr/landlock/domain" }
func (f fake) Form() string                                 { return "hex" }
func (f fake) HidePID() (string, error)                     { return f.hidePID, nil }
func (f fake) UsersKnown() bool                             { return true }
func (f fake) NoWays() string                               { return f.noWays }
func (f fake) Newer() []string                              { return f.newer }
func (f fake) OwnDepth() int                                { return f.ownDepth }

func TestExamine(t *testing.T) {
	enabled := &scan.Kernel{Landlock: scan.Enabled, ABI: 7}
	broken := errors.New("it is\nbroken\x1b[31m")
	unprivileged := &scan.Error{
		Kind: scan.ErrDenied, Reason: taskiter.NoCapability, Missing: "missing CAP_BPF", Hint: "give it",
	}
	info := scan.SourceInfo{IDs: "kernel", Lineage: "known", Rules: "read", Denials: scan.DenialsCounters, Runs: scan.RunsNone, PIDNS: "init"}
	inner, uncounted := info, info
	inner.PIDNS, uncounted.Denials = "nested", scan.DenialsNone
	for name, c := range map[string]struct {
		host  host
		check check
		works bool
		want  string // all of the output
	}{
		"a kernel that cannot be asked": {host{kernelErr: broken}, withoutRelease, false,
			"[FAIL] Landlock           it is broken [31m\n"},
		"all is well": {host{kernel: enabled, iterator: fake{info: info, unprivileged: true}, attributeErr: broken}, checkIterator, true,
			"[ok]   task iterator      loaded; Landlock's part of the credentials is at byte 8\n" +
				"[ok]   facts              IDs: kernel, lineage: known, rules: read, denials: counters\n" +
				"[ok]   serving            needs no capability\n" +
				"[ok]   PID namespace      the initial one: every process of the host is in it\n"},
		"an inner PID namespace, before Linux 5.19": {host{iterator: fake{info: inner}}, checkIterator, false,
			"[ok]   task iterator      loaded; Landlock's part of the credentials is at byte 8\n" +
				"[ok]   facts              IDs: kernel, lineage: known, rules: read, denials: counters\n" +
				"[note] serving            keeps CAP_BPF: this kernel wants it for every scan (before Linux 5.19)\n" +
				"[FAIL] PID namespace      an inner one: only its processes are seen; run landlockd in the host's (hostPID, --pid=host)\n"},
		"a kernel that is newer": {host{iterator: fake{info: info, unprivileged: true, newer: []string{"landlock_hierarchy.supervisor"}}}, checkIterator, true,
			"[ok]   task iterator      loaded; Landlock's part of the credentials is at byte 8\n" +
				"[ok]   facts              IDs: kernel, lineage: known, rules: read, denials: counters\n" +
				"[note] newer Landlock     this kernel keeps of domains what this landlockd does not know: landlock_hierarchy.supervisor. " +
				"What a domain denies that makes use of it is not known: update landlockd\n" +
				"[ok]   serving            needs no capability\n" +
				"[ok]   PID namespace      the initial one: every process of the host is in it\n"},
		"no iterator": {host{iteratorErr: broken}, checkIterator, true,
			"[note] task iterator      it is broken [31m\n"},
		"no source": {host{iteratorErr: broken, attributeErr: broken}, checkIterator, false,
			"[FAIL] task iterator      it is broken [31m\n"},
		"no privilege": {host{iteratorErr: unprivileged, attributeErr: broken}, checkIterator, false,
			"[FAIL] privilege          missing CAP_BPF: whether the task iterator works here was not tried; " +
				"run this as root (sudo landlockd doctor). To serve: give it\n"},
		"no privilege, but the attribute": {host{iteratorErr: unprivileged}, checkIterator, true,
			"[note] privilege          missing CAP_BPF: whether the task iterator works here was not tried; " +
				"run this as root (sudo landlockd doctor). To serve: give it\n"},
		"no privilege, and no attribute": {host{iteratorErr: unprivileged, attributeErr: broken}, checkAttribute, true,
			"[note] attribute          it is broken [31m\n"},
		"no privilege to count with": {host{iteratorErr: unprivileged, attributeErr: broken}, checkCounters, true,
			"[note] denials            whether this kernel counts them is not known without that privilege\n"},
		"no attribute": {host{attributeErr: broken}, checkAttribute, true,
			"[note] attribute          it is broken [31m\n"},
		"the attribute": {host{kernel: enabled, attribute: fake{info: info, hidePID: "invisible", ownDepth: 2}}, checkAttribute, true,
			"[ok]   attribute          /proc/PID/attr/landlock/domain, form: hex; IDs: kernel, lineage: known\n" +
				"[note] procfs             mounted with hidepid (invisible): landlockd needs CAP_SYS_PTRACE to see others' processes there\n" +
				"[note] attribute          this process is in 2 domains: it may only look into domains nested in its own\n"},
		"no Landlock, and no procfs": {host{kernel: &scan.Kernel{Landlock: scan.Disabled}, attributeErr: broken}, checkAttribute, false,
			"[FAIL] processes          it is broken [31m\n"},
		"a scan that fails": {host{iterator: fake{err: broken}}, checkScan, false,
			"[FAIL] scan               it is broken [31m\n"},
		"nothing to scan with": {host{iteratorErr: broken, attributeErr: broken}, checkScan, true, ""},
		"no cgroups": {host{o: Options{ProcFS: "/proc", SysFS: "/no/such"}}, checkWorkloads, true,
			"[note] workloads          are named after executables: their cgroups cannot be found: " +
				noCgroups() + "\n"},
		"denials are not counted": {host{iterator: fake{info: uncounted}}, checkCounters, true,
			"[note] denials            this kernel does not count them (Linux 6.15, with CONFIG_AUDIT)\n"},
		"no iterator to count with": {host{iteratorErr: broken}, checkRuns, true,
			"[note] runs               what ends between two scans is not counted: that takes the task iterator\n"},
		"assets of a configuration that is wrong": {host{assetsErr: broken}, checkAssets, true,
			"[note] assets             not known: the configuration cannot be loaded: it is broken [31m\n"},
		"no assets with paths": {host{assets: []domainid.Asset{{Name: "ssh", TCP: []uint16{22}}}, iteratorErr: broken}, checkAssets, true,
			"[ok]   assets             the configuration has none with paths; no process looks for any\n"},
		"assets, and no iterator": {host{assets: paths("/"), iteratorErr: broken}, checkAssets, true,
			"[note] assets             which processes reach those with paths is not known: that takes the task iterator\n"},
		"assets, and an old kernel": {host{assets: paths("/"), iterator: fake{noWays: "too old"}}, checkAssets, true,
			"[note] assets             which processes reach those with paths is not known: too old\n"},
		"denials are counted": {host{iterator: fake{info: info}}, checkCounters, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			works, err := examine(&b, &c.host, []check{c.check})
			if err != nil || works != c.works || b.String() != c.want {
				t.Errorf("%t, %v:\n%swant %t:\n%s", works, err, &b, c.works, c.want)
			}
		})
	}
}

func paths(of ...string) []domainid.Asset { return []domainid.Asset{{Name: "some", Paths: of}} }

// What a scan would find is found, whatever lies in the way.
func TestAssetsAreLookedFor(t *testing.T) {
	testenv.NeedRoot(t)
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	h := &host{o: Options{ProcFS: "/no/such"}, iterator: fake{}, assets: paths("/usr", "/no/such", loop)}
	var b strings.Builder
	works, err := examine(&b, h, []check{checkAssets})
	want := "[note] assets             " + loop + " cannot be looked at, not all of it, or not in time: asset some is unknown\n" +
		"[ok]   assets             what they are can be found out: 1 files and directories, and 1 paths that are not here\n"
	if err != nil || !works || b.String() != want {
		t.Errorf("%t, %v:\n%swant\n%s", works, err, &b, want)
	}
}

// noCgroups is what the resolver itself reports there.
func noCgroups() string {
	return workload.Open(workload.Options{CgroupFS: "/no/such/fs/cgroup"}).Limits()
}

// withoutRelease leaves out what every host has another of.
func withoutRelease(h *host, say say) {
	checkKernel(h, func(m mark, what, format string, args ...any) {
		if what != "kernel" {
			say(m, what, format, args...)
		}
	})
}

func TestScanIsCompared(t *testing.T) {
	h := &host{o: Options{ProcFS: "/proc"}, attribute: fake{snap: &scan.Snapshot{}}}
	var b strings.Builder
	works, err := examine(&b, h, []check{checkScan})
	if err != nil || !works || !strings.Contains(b.String(), "[note] compared to procfs the kernel leaves out ") {
		t.Errorf("%t, %v:\n%s", works, err, &b)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestExamineReportsWriteErrors(t *testing.T) {
	if _, err := examine(failing{}, &host{}, []check{checkListening}); err == nil || !strings.Contains(err.Error(), "full") {
		t.Error(err)
	}
}
