#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target of the module FUZZTIME long: a number of executions (10000x) or a time.
set -euo pipefail
go=${GO:-go} n=0
# Compiling with coverage counters for each package is what takes long.
while read -r dir; do
	for f in $(grep -ohE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/func //' | sort); do
		echo "fuzz $f in ${dir#./}"
		out=$("$go" test -short -run '^$' -fuzz "^$f\$" -fuzztime "${FUZZTIME:-10000x}" -fuzzminimizetime 1x "$dir" 2>&1) || {
			printf '%s\n' "$out" >&2
			exit 1
		}
		tail -n 1 <<<"$out"
		n=$((n + 1))
	done
done < <(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u)
[ "$n" -gt 0 ] || { echo "no fuzz target was found" >&2; exit 1; }
echo "$n fuzz targets ran without a finding"
