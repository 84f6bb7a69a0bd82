// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// nested is a host with the domains a, b in a, c in b, and d beside them. PIDs are 10 in none,
// 11 in a, 12 in b, 13 in c, 14 in d, 15 in b and c, 16 in b and none, 17 in a domain that is
// not known, 18 in none and of another user, 19 of him in c, and 20 whose state is unknown.
func nested() *scan.Snapshot {
	h := hosts.New()
	a := h.Domain(0xaaa, domainid.Outermost)
	b := h.Domain(0xbbb, a)
	c := h.Domain(0xccc, b)
	d := h.Domain(0xddd, domainid.Outermost)
	va, vc := h.View(a, 1), h.View(c, 1, 2, 3)
	h.Domains[c].Creator = domainid.Creator{PID: 12, UID: 7, Comm: "mine"}
	h.Domains[b].Creator = domainid.Creator{PID: 1, UID: 9, Comm: "not-mine"}
	of := func(pid int32, uid uint32, tasks ...scan.Task) {
		for i := range tasks {
			if t := &tasks[i]; t.State == scan.Sandboxed && t.Domain >= 0 {
				t.Depth, t.DepthExact = h.Domains[t.Domain].Depth, true
			}
		}
		h.Process(pid, 1, fmt.Sprintf("p%d", pid), tasks...)
		p := &h.Processes[len(h.Processes)-1]
		p.UID, p.UserNS, p.UIDsDiffer = uid, scan.InitUserNS, false
		for i := range h.TasksOf(p) {
			h.TasksOf(p)[i].UID = uid
		}
		p.Credentials = scan.Credentials{GID: 8, OneID: true, NoCaps: true, Dumpable: true}
		p.Workload = int32(len(h.Workloads))
		h.Workloads = append(h.Workloads, scan.Workload{Name: fmt.Sprintf("w%d", pid), FullName: fmt.Sprintf("w%d", pid)})
	}
	of(10, 7, hosts.Free())
	of(11, 7, hosts.Seen(a, va))
	of(12, 7, hosts.In(b))
	of(13, 7, hosts.Seen(c, vc))
	of(14, 7, hosts.In(d))
	of(15, 7, hosts.In(b), hosts.In(c))
	of(16, 7, hosts.In(b), hosts.Free())
	of(17, 7, hosts.In(domainid.Outermost))
	of(18, 9, hosts.Free())
	of(19, 9, hosts.In(c))
	of(20, 7, hosts.Free())
	h.Processes[10].State, h.Processes[10].Reason = scan.Unknown, scan.Changing
	h.Conclude()
	return &h.Snapshot
}

func TestSight(t *testing.T) {
	root := func(p *scan.Process) { p.UID, p.Credentials.SysPtrace, p.Credentials.NoCaps = 0, true, false }
	for _, c := range []struct {
		name   string
		caller int32
		change func(*scan.Process)
		want   string
	}{
		{"a user", 10, nil, "10 11 12 13 14 15 16 17"},
		{"another user", 18, nil, "18 19"},
		{"root", 18, root, "10 11 12 13 14 15 16 17 18 19 20"},
		{"in the outermost domain", 11, nil, "12 13 15"},
		{"root there", 11, root, "12 13 15 19"},
		{"further in", 12, nil, "13"},
		{"innermost", 13, nil, ""},
		{"beside them", 14, nil, ""},
		{"in two domains", 15, root, ""},
		{"partly", 16, nil, "13"},
		{"in a domain that is not known", 17, root, ""},
		{"not known", 20, root, ""},
	} {
		s := nested()
		caller := *s.Find(c.caller)
		if c.change != nil {
			c.change(&caller)
		}
		var got []string
		if v, ok := sightOf(s, &caller); ok {
			seen := v.snapshot()
			for i := range seen.Processes {
				got = append(got, fmt.Sprint(seen.Processes[i].PID))
			}
			checkPart(t, seen)
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: sees %s, want %s", c.name, got, c.want)
		}
	}
}

// checkPart fails unless what a caller sees is a snapshot like any other: it is written and
// read back, each process with what it has.
func checkPart(t *testing.T, s *scan.Snapshot) {
	t.Helper()
	var b bytes.Buffer
	if err := recorded.Write(&b, s, recorded.Options{}); err != nil {
		t.Fatal(err)
	}
	back, err := recorded.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if back.Part != s.Part || back.Count() != s.Count() || len(back.Domains) != len(s.Domains) {
		t.Errorf("%+v becomes %+v", s.Count(), back.Count())
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		if w := s.WorkloadOf(p); w.Name != fmt.Sprintf("w%d", p.PID) || p.Comm.String() != fmt.Sprintf("p%d", p.PID) {
			t.Errorf("process %d is %s of %+v", p.PID, p.Comm.String(), w)
		}
	}
}

// TestPartHasNothingOfOthers: no domain, name, number or user of what is not seen.
func TestPartHasNothingOfOthers(t *testing.T) {
	s := nested()
	s.TasksRead, s.DomainsUnread = 4321, 1234
	s.Assets, s.Objects = []domainid.Asset{{Name: "keys"}}, []domainid.Object{{Path: "/root/key"}}
	for caller, hidden := range map[int32][]string{
		18: {`"ddd"`, `"mine"`, "p10", "p11", "p12", "p13", "w13", "4321", "1234", "keys", "/root"},
		11: {`"aaa"`, `"ddd"`, "not-mine", "p10", "p11", "p14", "w11", "4321", "1234", "keys"},
	} {
		v, _ := sightOf(s, s.Find(caller))
		var b bytes.Buffer
		if err := recorded.Write(&b, v.snapshot(), recorded.Options{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `"ccc"`) {
			t.Error("nothing is seen: the test is wrong")
		}
		for _, h := range hidden {
			if strings.Contains(b.String(), h) {
				t.Errorf("%d finds %s in %s", caller, h, b.String())
			}
		}
	}
	// What is nested begins behind the caller's own domain.
	v, _ := sightOf(s, s.Find(11))
	seen := v.snapshot()
	p := seen.Find(13)
	if p.Depth != 2 || seen.TasksOf(p)[0].Depth != 2 || len(seen.Domains) != 2 || seen.Domains[0].Parent != domainid.Outermost {
		t.Errorf("%+v in %+v", p, seen.Domains)
	}
	if w := seen.Views[seen.TasksOf(p)[0].View]; !slices.Equal(w.Everywhere, []uint32{2, 3}) || seen.Domains[w.Domain].ID != 0xccc {
		t.Errorf("%+v", w)
	}
	if seen.Domains[1].Rules != domainid.RulesUncounted || seen.Source.CountsDenials() || seen.Domains[1].Creator.Comm != "mine" {
		t.Errorf("%+v", seen.Domains[1])
	}
	if s.Find(13).Depth != 3 || s.Domains[2].Depth != 3 {
		t.Error("the snapshot of others has changed")
	}
}
