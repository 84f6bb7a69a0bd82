// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
)

// Rights have the names that the kernel's audit log gives them.
func ExampleLookup() {
	right, ok := access.Lookup("net.connect_tcp")
	fmt.Println(ok, access.Names(right.Rights()))
	// Output: true [net.connect_tcp]
}

// A glob names all rights that match.
func ExampleMatch() {
	for _, right := range access.Match("scope.*") {
		fmt.Println(access.Names(right.Rights()))
	}
	// Output:
	// [scope.abstract_unix_socket]
	// [scope.signal]
}

// What a mask of the kernel's says, bits that have no name yet included.
func ExampleNames() {
	var set access.Rights
	set[access.FS] = 1<<1 | 1<<20
	fmt.Println(access.Names(set))
	// Output: [fs.write_file fs.bit20]
}
