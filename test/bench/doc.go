// SPDX-License-Identifier: Apache-2.0

// Package bench holds what landlockd takes to what it may take, by the clock: for make bench, on
// a host that does little else.
package bench
