// SPDX-License-Identifier: Apache-2.0

// Package access names the rights that Landlock knows.
//
// A right is one bit of one of three masks, its [Class]: what may be done to files, to
// network ports, and to what is outside the domain (scopes). [Rights] holds the three masks
// with the kernel's own numbering, and is a value like any other:
//
//	write, _ := access.Lookup("fs.write_file")
//	fmt.Println(write.In(set), access.Names(set))
//
// The names are those of the kernel's audit log. A bit that came after this table was
// written has a name too, fs.bit17: it is shown, never dropped. Which Linux brought a right
// is [Right.ABI] and [Release]; which rights a running kernel has, it has to be asked, as
// some promise an ABI and refuse rights of it.
//
// Often a set is known in part only. [Bounds] are its least and its greatest extent, and
// [Answer] is yes, no or unknown. A set of which nothing is known is [Anything], not the
// empty one.
//
// What a right does not cover is a [Way] past it. Faults that the kernel mended, and says
// so, are [Errata].
//
// The package needs no privilege and makes no system call.
//
// To add a right: a line in the table of rights. To add a class: a constant and a line in
// the table of classes. Sources, metrics, rules and docs/rights.md follow from these;
// where words for people depend on a class, tests ask for them.
package access

//go:generate go test -run ^TestPage$ -update .
