#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Vets and tests every package of the module, and of the modules whose directories are
# given, and lists the ten tests that took longest. GOTESTSUM is the program that runs
# go test.
#
# One package at a time: what one does to the host, others count. Beside them run those of
# waiting: they wait for servers of their own, for as long as rules look back.
set -euo pipefail
go=${GO:-go}
waiting=(./test/mixin)
events=$(mktemp -d) beside=
trap 'kill -- "-$beside" 2>/dev/null || :; rm -rf "$events"' EXIT

# run NAME DIRECTORY PACKAGE... exits as go test does. All is vetted before.
run() {
	(cd "$2" && "$GOTESTSUM" --format pkgname-and-test-fails --format-icons text \
		--jsonfile "$events/$1" -- -count=1 -p 1 -vet=off -timeout 30m "${@:3}")
}

status=0
for module in . "$@"; do
	"$go" -C "$module" vet ./... || status=$?
done
set -m # which has a group of its own, to be ended with, and the usual signals
run waiting . "${waiting[@]}" &
beside=$!
set +m
mapfile -t others < <("$go" list ./... | grep -vxF "$("$go" list "${waiting[@]}")")
run module . "${others[@]}" || status=$?
wait "$beside" || status=$?
beside=
for module; do
	run "$(basename "$module")" "$module" ./... || status=$?
done
echo
echo "the ten tests that took longest:"
cat "$events"/* | "$GOTESTSUM" tool slowest --num 10
exit "$status"
