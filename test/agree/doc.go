// SPDX-License-Identifier: Apache-2.0

// Package agree holds a test that what landlockd says in one place it says in all:
// metrics, rules and explain, of every process.
package agree
