#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Strips a BPF object: DWARF; the relocations of BTF, of which clang has written what they would:
# offsets within one section; and lines of the source.
set -eu
llvm-strip-14 --remove-section=.rel.BTF --remove-section=.rel.BTF.ext "$@"
for object; do :; done # the last argument
whole=$(mktemp) stripped=$(mktemp)
trap 'rm -f "$whole" "$stripped"' EXIT
llvm-objcopy-14 --dump-section=.BTF.ext="$whole" "$object" /dev/null
go run "$(dirname "$0")/striplines/main.go" <"$whole" >"$stripped"
llvm-objcopy-14 --update-section=.BTF.ext="$stripped" "$object"
