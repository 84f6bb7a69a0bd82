// SPDX-License-Identifier: Apache-2.0

package workload

import "github.com/landlockd/landlockd/scan"

// Of returns the workload of a process that ended in cgroups with some paths, each empty if it
// is not known, as [Resolver.Assign] names those that run; but a container has no name that its
// path does not show. It reads nothing, and may be called at any time.
func (r *Resolver) Of(p *scan.Process, v2, v1 string) scan.Workload {
	v1ID := p.CgroupV1ID
	if r.unified {
		v1ID, v1 = 0, ""
	}
	of1, of2, of := Parse(v1, r.o.Runtimes), Parse(v2, r.o.Runtimes), Facts{}
	switch r.decide(p.CgroupID, v1ID, &of1, func() *Facts { return &of2 }) {
	case byV1:
		of = of1
	case byV2:
		of = of2
	}
	of.awaitsName()
	exe := p.Exe
	if p.ExeCut {
		exe = "" // its last part is not known
	}
	w := of.Workload
	if w.Name, w.FullName = of.names(exe); !r.table.fold {
		w.Name = w.FullName
	}
	return w
}
