#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Vets and tests every package of the module, and of the modules whose directories are
# given, and lists the ten tests that took longest. TESTSUM is the command that runs go test.
#
# A test that failed is run once more, and the second result counts: nothing here knows what else
# a machine does. Such tests are listed at the end.
#
# Packages that need no root do nothing to the host: two at a time. Then one at a time: what one
# does to the host, others count. Beside all of them run those of waiting: they wait for servers of
# their own, for as long as rules look back.
set -euo pipefail
go=${GO:-go}
waiting=(./test/mixin)
read -ra testsum <<<"$TESTSUM"
events=$(mktemp -d) again=$(mktemp -d) beside=
trap 'kill -- "-$beside" 2>/dev/null || :; rm -rf "$events" "$again"' EXIT

# run NAME DIRECTORY COUNT PACKAGE... tests COUNT packages at a time, and exits as go test does.
# All is vetted before.
run() {
	(cd "$2" && "${testsum[@]}" --jsonfile "$events/$1" --rerun-fails-report "$again/$1" \
		--packages "${*:4}" -- -count=1 -p "$3" -vet=off -timeout 30m)
}

# without PACKAGE... passes on all packages but these.
without() { grep -vxF "$(printf '%s\n' "$@")"; }

status=0
for module in . "$@"; do
	"$go" -C "$module" vet ./... || status=$?
done
set -m # which has a group of its own, to be ended with, and the usual signals
run waiting . 1 "${waiting[@]}" &
beside=$!
set +m
mapfile -t waiting < <("$go" list "${waiting[@]}")
mapfile -t rooted < <(grep -rlF testenv.NeedRoot --include='*_test.go' --exclude-dir=test . | xargs -n1 dirname | sort -u)
mapfile -t alone < <("$go" list ./test/... "${rooted[@]}" | without "${waiting[@]}")
mapfile -t others < <("$go" list ./... | without "${waiting[@]}" "${alone[@]}")
run others . 2 "${others[@]}" || status=$?
run alone . 1 "${alone[@]}" || status=$?
wait "$beside" || status=$?
beside=
for module; do
	run "$(basename "$module")" "$module" 1 ./... || status=$?
done
echo
echo "the ten tests that took longest:"
cat "$events"/* | "${testsum[0]}" tool slowest --num 10
if cat "$again"/* 2>/dev/null | grep . >"$events/again"; then
	printf '\nrun once more, as they failed; what of them depends on time or on others is to be mended:\n'
	cat "$events/again"
fi
exit "$status"
