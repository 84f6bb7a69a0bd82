// SPDX-License-Identifier: Apache-2.0

package sources

// The sources, by the names that they have in flags and labels.
const (
	TaskIter = "taskiter"
	ProcAttr = "procattr"
	// Auto is the task iterator where it loads, and else the attribute where
	// the kernel has it.
	Auto = "auto"
	// Compare reads with both and counts where they disagree.
	Compare = "both"
)

// Kinds returns what --source takes.
func Kinds() []string { return []string{Auto, TaskIter, ProcAttr, Compare} }
