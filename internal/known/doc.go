// SPDX-License-Identifier: Apache-2.0

// Package known finds, of the programs that are known to sandbox themselves or what they start
// ([policy.Known], docs/known.md), those that run or are installed on a host, and says of each
// whether it does here.
//
// [Look] looks for what is installed, at the paths that are known and nowhere else. [Judge]
// joins that with a snapshot. What is written is for people ([Text]), for programs ([JSON]), and
// for the configuration ([Rules]).
package known

//go:generate go test -run ^TestPage$ -update .
