#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Strips a BPF object: DWARF, and the relocations of BTF, a quarter of what is left. clang has
# written what they would: offsets within one section.
exec llvm-strip-14 --remove-section=.rel.BTF --remove-section=.rel.BTF.ext "$@"
