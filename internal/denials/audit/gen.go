// SPDX-License-Identifier: Apache-2.0

package audit

// As in package taskiter: the objects are committed, and CI regenerates them with
// the pinned compiler and fails on a difference.
//
//go:generate go tool bpf2go -cc clang-14 -strip ../../../taskiter/bpf/strip.sh -target bpfel,bpfeb -no-global-types -cflags "-O2 -g -mcpu=v3 -Wall -Wextra -Wno-missing-field-initializers -Wno-sign-compare -Wno-unused-parameter -Werror" object bpf/lost.c
