// SPDX-License-Identifier: Apache-2.0

package taskiter

// The objects are committed, so that a build needs nothing but Go. CI
// regenerates them with the pinned compiler and fails on a difference: another
// clang gives other bytes.
//
//go:generate go tool bpf2go -cc clang-14 -strip bpf/strip.sh -target bpfel,bpfeb -no-global-types -type header -type task_record -type domain_record -type exe_record -type end_record -type slot_record -type rules_record -type rule_entry -type launcher_record -type grants_record -type object_record -type ways_record -type places_record -type way_bits -type record_kind -type task_bits -type exe_bits -type rule_bits -type view -type tree -type program -type limit -type domain_layout -type rule_layout -type control_block -type want -cflags "-O2 -g -mcpu=v3 -Wall -Wextra -Wno-missing-field-initializers -Wno-sign-compare -Wno-unused-parameter -Werror" object bpf/taskiter.c
