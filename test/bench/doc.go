// SPDX-License-Identifier: Apache-2.0

// Package bench holds what landlockd takes to what it may take, by the clock, and keeps what was
// measured: for make bench, on a host that does little else. README.md has the method.
package bench

//go:generate go test -run ^TestPage$ -update .
