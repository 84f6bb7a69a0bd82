#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Generates everything again and fails if a file differs from the one committed.
set -euo pipefail
go=${GO:-go}
before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
files() { find . -path ./.git -prune -o -path ./.tools -prune -o -type f \( -name 'object_bpf*' -o -path './docs/*' -o -path './deploy/prometheus/*' -o -path './deploy/grafana/*' -o -path '*/testdata/*' -o -name 'go.*' \) -print0 | sort -z | xargs -0 sha256sum; }
files >"$before"
"$go" generate ./...
for module in . test/browser test/golandlock test/panels test/bench/chart; do "$go" -C "$module" mod tidy; done
files >"$after"
if ! diff "$before" "$after" >/dev/null; then
	echo "generated files differ from what is in the tree (run make generate, go mod tidy):" >&2
	diff "$before" "$after" | grep '^[<>]' | awk '{print $3}' | sort -u >&2
	exit 1
fi
echo "generated files are up to date"
