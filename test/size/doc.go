// SPDX-License-Identifier: Apache-2.0

// Package size holds the program to its size, and docs/dependencies.md to what each module adds.
package size
