// SPDX-License-Identifier: Apache-2.0

// Package recorded writes a snapshot as JSON, in the schema that docs/json.md explains and
// docs/schema/snapshot-v1.json defines, and reads it back, so that it can be judged later
// and elsewhere.
//
// Each kind of object is one struct, used both ways: a new fact is a member of it, with a
// line that fills it from a [scan.Snapshot] and one that fills the snapshot from it.
// Members that follow from others ("counts", "restricted", a process's "domains", ...) are
// written, but not read: what a snapshot means is concluded anew.
//
// What is written is a pure function: equal snapshots give equal bytes. Text that others
// chose is written by internal/untrusted.
//
// A file may have been made by anybody: its size is bounded, and whatever a reader of a
// snapshot relies on is checked. Members that are not known here are passed over, because
// a later landlockd may have written them; words that are not known are refused, because
// nothing sound can be concluded from what they stand for.
package recorded
