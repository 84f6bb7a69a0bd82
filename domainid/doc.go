// SPDX-License-Identifier: Apache-2.0

// Package domainid says what a Landlock domain is, and what it means to be in one.
//
// A domain is what landlock_restrict_self(2) puts a task in. The kernel names each one by an
// opaque 64-bit number (from Linux 6.15 on); on older kernels a source derives a number of
// its own. Either is an [ID]: a value to compare and to print, nothing else. No order, no
// arithmetic and no count may be read from it, and it says nothing beyond one boot.
//
// The package knows nothing of how domains are read: a source fills a slice of [Domain], in
// which a parent stands before its children. [Chain] ranges over a domain and all that it
// is nested in:
//
//	for i := range domainid.Chain(domains, task.Domain) {
//		fmt.Println(domains[i].ID, access.Names(domains[i].Handled))
//	}
//
// [Meaning] concludes from domains, and from [View]s of them, what tasks are kept from:
// [Meaning.Task] how deep they are and which rights are restricted, [Meaning.Allows] where a
// right is left. It is the one place where that is concluded. A right that a layer handles
// is restricted only if the layer's rules do not grant it everywhere.
//
// [NewForest] joins domains with the processes that live in them. [Inference] concludes
// which domain is nested in which where the kernel reports IDs alone.
//
// What is not known is said to be unknown, with a [Doubt]: a depth may be a lower bound, a
// set of rights has [access.Bounds]. Nothing is assumed in favour of a sandbox.
//
// The package needs no privilege and makes no system call. It takes any input, however
// inconsistent: a scan is not atomic.
package domainid
