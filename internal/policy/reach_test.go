// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

const reachRules = `
assets:
  - {name: outside, signal: true}
  - {name: sockets, abstract_unix: true}
  - {name: secrets, paths: [/etc/shadow], access: [read]}
rules:
  - {name: a, match: {unit: [a.service]}, expect: {effective: false, out_of_reach: [OUT]}}
`

// A rule that names an asset is violated if Landlock does not keep a process from it.
func TestOutOfReach(t *testing.T) {
	signal := access.Scope.Rights(1 << 1)
	scoped := func(h host) *scan.Process { return h.process(h.unit("a.service"), "", h.domain(-1, signal)) }
	for _, c := range []struct {
		name, out, keys string
		add             func(h host) *scan.Process
		want            string
	}{
		{"kept", "outside", "", scoped, "compliant : "},
		{"not kept", "sockets", "", scoped, "violating within_reach: Landlock does not keep it from sockets"},
		{"kept from one of two", "outside, sockets", "", scoped,
			"violating within_reach: Landlock does not keep it from sockets"},
		{"one of two tasks is not kept", "outside", "", func(h host) *scan.Process {
			return h.process(h.unit("a.service"), "", h.domain(-1, signal), h.domain(-1, allFS))
		}, "violating within_reach: Landlock does not keep it from outside"},
		{"an old kernel", "outside", "", func(h host) *scan.Process {
			h.kernel(5)
			return h.process(h.unit("a.service"), "", h.domain(-1, allFS))
		}, "violating within_reach: no sandbox on this kernel keeps it from outside"},
		{"not known", "secrets", "", func(h host) *scan.Process {
			h.Objects = []domainid.Object{{Asset: 2, Path: "/etc/shadow", Kind: domainid.ObjectFile, Parent: -1}}
			return h.process(h.unit("a.service"), "", h.domain(-1, allFS))
		}, "unknown : it is not known whether Landlock keeps it from secrets: not all ways that lead to it were read"},
		{"absent", "secrets", "", func(h host) *scan.Process {
			h.Objects = []domainid.Object{{Asset: 2, Path: "/etc/shadow", Kind: domainid.ObjectAbsent, Parent: -1}}
			return scoped(h)
		}, "compliant : "},
		{"not asked for", "outside", "", func(h host) *scan.Process {
			h.Assets = nil
			return scoped(h)
		}, "unknown : it was not looked at whether Landlock keeps it from outside"},
		{"asked for as something else", "outside", "", func(h host) *scan.Process {
			h.Assets = []domainid.Asset{{Name: "outside", Signal: true, AbstractUnix: true}}
			return scoped(h)
		}, "unknown : it was not looked at whether Landlock keeps it from outside"},
		{"certain to violate, whatever else is unknown", "secrets, sockets", "", scoped,
			"violating within_reach: Landlock does not keep it from sockets"},
		{"a worker outside", "outside", "", func(h host) *scan.Process {
			p := scoped(h)
			h.worker(freePlace, freePlace)
			return p
		}, "unknown : what it restricts may not hold: it has a thread that the kernel made for it"},
		{"a worker outside, which violates", "outside", "outside_workers: violation", func(h host) *scan.Process {
			p := scoped(h)
			h.worker(freePlace, freePlace)
			return p
		}, "violating outside_worker: it has a thread that the kernel made for it"},
		{"a worker outside, which is allowed", "outside", "outside_workers: allow", func(h host) *scan.Process {
			p := scoped(h)
			h.worker(freePlace, freePlace)
			return p
		}, "compliant : "},
	} {
		text := strings.Replace(reachRules, "[OUT]", "["+c.out+"], "+c.keys, 1)
		text = strings.Replace(text, "], }", "]}", 1)
		config := load(t, text)
		h := newHost()
		h.Assets = config.Assets
		p := c.add(h)
		result, reason, why := config.Rules[0].Expect.Judge(h.Snapshot, p)
		if got := result.String() + " " + reason.String() + ": " + why; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		// So says an evaluation, of a snapshot that is concluded, too.
		h.Conclude()
		r := New(config, Options{}).Evaluate(h.Snapshot).rule("a")
		if r == nil || r.Processes[result] != 1 || result == Violating && r.Violations[0].Reason != reason {
			t.Errorf("%s: evaluated %+v, want %s %s", c.name, r, result, reason)
		}
	}
}

// An evaluator follows what was looked at from one snapshot to the next.
func TestOutOfReachFollows(t *testing.T) {
	config := load(t, strings.Replace(reachRules, "OUT", "outside", 1))
	e := New(config, Options{})
	for _, assets := range [][]domainid.Asset{nil, config.Assets, nil, config.Assets[:1]} {
		h := newHost()
		h.Assets = assets
		h.process(h.unit("a.service"), "", h.domain(-1, access.Scope.Rights(1<<1)))
		want := Compliant
		if assets == nil {
			want = Unknown
		}
		if r := e.Evaluate(h.Snapshot).rule("a"); r.Processes[want] != 1 {
			t.Errorf("of %d assets: %v, want %s", len(assets), r.Processes, want)
		}
	}
}

// What ended cannot be asked what it reached.
func TestOutOfReachEnded(t *testing.T) {
	config := load(t, strings.Replace(reachRules, "OUT", "outside", 1))
	h := newHost()
	h.process(h.unit("a.service"), "", h.domain(-1, access.Scope.Rights(1<<1)))
	h.ConcludeEnded(func(int) access.Rights { return access.Scope.Rights(1 << 1) })
	none := func(int) bool { return false }
	judged := 0
	New(config, Options{}).Ended(Ended{h.Snapshot, none, none}, func(_ int, v Verdict) {
		if judged++; v.Result != Unknown {
			t.Errorf("%s %s", v.Result, v.Reason)
		}
	})
	if judged != 1 {
		t.Errorf("%d judged", judged)
	}
}
