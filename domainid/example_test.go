// SPDX-License-Identifier: Apache-2.0

package domainid_test

import (
	"fmt"

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
