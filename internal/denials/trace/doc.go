// SPDX-License-Identifier: Apache-2.0

// Package trace reads denials from the kernel's tracepoints (Linux 7.3).
package trace
