// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package golandlock

// addsRule: below ABI 8, go-landlock with cgo adds a rule that lets the process
// list its threads.
const addsRule = true
