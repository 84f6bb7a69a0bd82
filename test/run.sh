#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the targets that it is given, one after the other, up to the first that fails. "a+b" is
# two, of which b runs beside a: it mostly waits. What b prints comes when both have ended.
# A line before each says which it is, one behind how it went and what it took; the
# last lines list them all.
set -euo pipefail

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

dir=$(mktemp -d) beside=
trap 'end; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# end ends what runs beside a target, and prints what it has printed.
end() {
	[ -n "$beside" ] || return 0
	kill -- "-$beside" 2>/dev/null || :
	cat "$dir/output"
}

steps=$# number=0 status=0

# part makes a target, and adds a line to the list. It exits as make does.
part() {
	local began=$SECONDS status=0 word=ok
	printf '\n== %s (%d of %d, %s so far)\n' "$1" "$number" "$steps" "$(clock "$SECONDS")"
	"${MAKE:-make}" --no-print-directory "$1" || { status=$? word=FAIL; }
	printf '%-4s %-16s %s\n' "$word" "$1" "$(clock $((SECONDS - began)))" >>"$dir/list"
	printf -- '-- %s: %s after %s\n' "$1" "$word" "$(clock $((SECONDS - began)))"
	return "$status"
}

for step; do
	number=$((number + 1))
	IFS=+ read -r target other <<<"$step"
	if [ -n "$other" ]; then
		set -m # which has a group of its own, to be ended with, and the usual signals
		part "$other" >"$dir/output" 2>&1 &
		beside=$!
		set +m
	fi
	part "$target" || status=$?
	if [ -n "$other" ]; then
		wait "$beside" || status=$?
		beside=
		cat "$dir/output"
	fi
	[ "$status" = 0 ] || break
done
printf '\n'
cat "$dir/list"
left=("${@:number+1}")
[ "${#left[@]}" = 0 ] || printf 'not begun: %s\n' "${left[*]//+/ }"
printf 'all together %s\n' "$(clock "$SECONDS")"
exit "$status"
