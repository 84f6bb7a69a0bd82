// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package inside

// foreign are calls by the machine's other ABIs: a program of 64 bits has none.
var foreign map[string]func()
