// SPDX-License-Identifier: Apache-2.0

// Package policy holds what people expect of a host: rules, as docs/rules.md
// explains them to their writers.
//
// [Load] reads them, strictly. An [Evaluator] judges a snapshot by them: every
// rule that matches a process applies to it, in no order, and comes to one of four
// things, its [Result]. The package reads files in Load, and nothing else.
//
// # What is not known
//
// A rule asks two things: whether it is about a process, and whether the process
// is as it should be. Either may not be known. What is not known is neither a
// violation nor compliance, it is [Unknown]. So whether a rule is about a process
// is one of four words, from the least to the most: no; unknown; likely, where a
// name matches and only whether it may be trusted is not known; yes. All keys of
// a match must hold, so it is worth the least of them; an item of a list is
// enough, so a key is worth the most of them.
//
// A process that a rule is likely about makes the rule apply, and is Unknown in
// it. One of which it is not known makes no rule apply, as it would all rules of
// the host at once; in those that apply anyway it counts as Unknown.
package policy
