#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Vets and tests every package of the module, and of the modules whose directories are
# given, and lists the ten tests that took longest. GOTESTSUM is the program that runs
# go test.
#
# One package at a time: what one does to the host, others count.
set -euo pipefail
go=${GO:-go}
events=$(mktemp -d)
trap 'rm -rf "$events"' EXIT

status=0 n=0
for module in . "$@"; do
	"$go" -C "$module" vet ./... || status=$?
	n=$((n + 1))
	# It exits as go test does, which it starts.
	(cd "$module" && "$GOTESTSUM" --format pkgname-and-test-fails --format-icons text \
		--jsonfile "$events/$n" -- -count=1 -p 1 -timeout 30m ./...) || status=$?
done
echo
echo "the ten tests that took longest:"
cat "$events"/* | "$GOTESTSUM" tool slowest --num 10
exit "$status"
