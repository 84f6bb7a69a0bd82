#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the targets that it is given, one after the other, up to the first that fails.
# A line before each says which it is, one behind how it went and what it took; the
# last lines list them all.
set -euo pipefail

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

list=() number=0 status=0
for target; do
	number=$((number + 1))
	printf '\n== %s (%d of %d, %s so far)\n' "$target" "$number" "$#" "$(clock "$SECONDS")"
	began=$SECONDS word=ok
	"${MAKE:-make}" --no-print-directory "$target" || { status=$? word=FAIL; }
	list+=("$(printf '%-4s %-16s %s' "$word" "$target" "$(clock $((SECONDS - began)))")")
	printf -- '-- %s: %s after %s\n' "$target" "$word" "$(clock $((SECONDS - began)))"
	[ "$status" = 0 ] || break
done
printf '\n'
printf '%s\n' "${list[@]}"
left=("${@:number+1}")
[ "${#left[@]}" = 0 ] || printf 'not begun: %s\n' "${left[*]}"
printf 'all together %s\n' "$(clock "$SECONDS")"
exit "$status"
