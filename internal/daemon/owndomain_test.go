// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"os"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/scan"
)

// own is a scan that shows this process in a state, and in a domain that handles some of
// the three rights that the first stage could handle, and grants some everywhere.
type own struct {
	state            scan.State
	handles, granted uint32
	comm, pidns      string
	doubt            domainid.Doubt
}

func (o own) Scan(context.Context) (*scan.Snapshot, error) {
	s := &scan.Snapshot{
		Kernel:    scan.Kernel{Landlock: scan.Enabled, ABI: 1, Rights: access.Exactly(access.FS.Rights(15))},
		Source:    scan.SourceInfo{PIDNS: o.pidns, Rules: "read"},
		Processes: []scan.Process{{PID: int32(os.Getpid()), State: o.state, NumTasks: 1}},
		Tasks:     []scan.Task{{State: o.state, Domain: domainid.Outermost, View: domainid.NoView}},
		Domains:   []domainid.Domain{{ID: 1, Parent: domainid.Outermost, Depth: 1, Handled: access.FS.Rights(o.handles), Lineage: domainid.LineageKnown}},
		Views:     []domainid.View{{Domain: 0, Everywhere: []uint32{o.granted}, Doubt: o.doubt}},
	}
	copy(s.Processes[0].Comm[:], o.comm)
	if o.state == scan.Sandboxed {
		s.Tasks[0].Domain, s.Tasks[0].View, s.Tasks[0].Depth, s.Tasks[0].DepthExact = 0, 0, 1, true
	}
	s.Conclude()
	return s, nil
}

func (own) Close() error { return nil }

// A daemon resolves in its own scan what is wrong with its domain, and nothing where it does
// not know.
func TestCheckDomain(t *testing.T) {
	confinedWell := own{state: scan.Sandboxed, handles: 7, comm: "landlockd", pidns: "init"}
	for name, c := range map[string]struct {
		change func(*own)
		wrong  bool
	}{
		"well":                       {func(*own) {}, false},
		"in no domain":               {func(o *own) { o.state = scan.Unsandboxed }, true},
		"with some threads":          {func(o *own) { o.state = scan.Partial }, true},
		"unknown":                    {func(o *own) { o.state = scan.Unknown }, false},
		"a right that is left out":   {func(o *own) { o.handles = 5 }, true},
		"one that is granted on /":   {func(o *own) { o.granted = 2 }, true},
		"rules that were not read":   {func(o *own) { o.doubt = domainid.RulesUnread }, false},
		"a PID of another namespace": {func(o *own) { o.state, o.pidns = scan.Unsandboxed, "nested" }, false},
		"another process":            {func(o *own) { o.state, o.comm = scan.Unsandboxed, "bash" }, false},
	} {
		for _, mode := range []Confinement{Require, BestEffort} {
			source := confinedWell
			c.change(&source)
			d, _ := newDaemon(t, "")
			d.o.Confine, d.status, d.reader = mode, confined(nil), source
			d.found.Kernel = &scan.Kernel{Rights: access.Exactly(access.FS.Rights(7))}
			if err := d.checkDomain(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if wrong := d.status[confine.Landlock] == confine.ReadBack; wrong != c.wrong {
				t.Errorf("%s: %v, want wrong %v", name, d.status, c.wrong)
			}
			_, err := d.reader.Scan(t.Context())
			if refused := scan.FailureReason(err) == notConfined; refused != (c.wrong && mode == Require) {
				t.Errorf("%s, %s: %v", name, mode, err)
			}
			d.close()
		}
	}
}
