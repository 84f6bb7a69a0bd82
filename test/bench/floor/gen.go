// SPDX-License-Identifier: Apache-2.0

package floor

// As taskiter's objects.
//
//go:generate go tool bpf2go -cc clang-14 -strip ../../../taskiter/bpf/strip.sh -target bpfel,bpfeb -no-global-types -cflags "-O2 -g -mcpu=v3 -Wall -Wextra -Wno-missing-field-initializers -Wno-sign-compare -Wno-unused-parameter -Werror -I../../../taskiter/bpf" object bpf/floor.c
