// SPDX-License-Identifier: Apache-2.0

package domainid_test

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// An ID is compared and printed, as the kernel's audit log prints it.
func ExampleParse() {
	id, err := domainid.Parse("1e67bda0b")
	fmt.Println(id, err, id == domainid.ID(0x1e67bda0b))
	// Output: 1e67bda0b <nil> true
}

// A domain and all that it is nested in, the innermost first.
func ExampleChain() {
	domains := []domainid.Domain{
		{ID: 0x10, Parent: domainid.Outermost, Depth: 1},
		{ID: 0x20, Parent: 0, Depth: 2},
	}
	for i := range domainid.Chain(domains, 1) {
		fmt.Println(domains[i].ID, domains[i].Depth)
	}
	// Output:
	// 20 2
	// 10 1
}

// What it means for a task to be in a domain: here the inner layer restricts what the outer
// one does not handle.
func ExampleMeaning() {
	read, _ := access.Lookup("fs.read_file")
	signal, _ := access.Lookup("scope.signal")
	domains := []domainid.Domain{
		{Parent: domainid.Outermost, Depth: 1, Lineage: domainid.LineageKnown, Handled: read.Rights()},
		{Parent: 0, Depth: 2, Lineage: domainid.LineageKnown, Handled: signal.Rights()},
	}
	// The rules of the outer layer grant reading everywhere.
	views := []domainid.View{{Domain: 1, Everywhere: []uint32{read.Rights()[access.FS]}}}
	host := domainid.Host{
		ABI: 6, RulesRead: true, Rights: access.Exactly(access.Supported(6)),
	}
	meaning := domainid.NewMeaning(host, domains, views)
	sandbox := meaning.Task(1, 0, 0, false)
	fmt.Println(sandbox.Depth, sandbox.Restricts.Of(read), sandbox.Restricts.Of(signal))
	fmt.Println(meaning.Allows(1, 0, read).Effect, meaning.Allows(1, 0, signal).Effect)
	// Output:
	// 2 no yes
	// everywhere nowhere
}

// Which processes live in a domain, and in those nested in it.
func ExampleForest() {
	domains := []domainid.Domain{
		{ID: 0x10, Parent: domainid.Outermost},
		{ID: 0x20, Parent: 0},
	}
	forest := domainid.NewForest(domains, []domainid.Member{
		{PID: 1}, {PID: 7, PPID: 1, Domains: []int32{0}}, {PID: 8, PPID: 7, Domains: []int32{1}},
	})
	for d, level := range forest.WalkDomains() {
		fmt.Println(level, domains[d].ID, forest.Members(d), forest.NumBelow(d))
	}
	// Output:
	// 0 10 [1] 2
	// 1 20 [2] 1
}
