#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copies the documentation for users into DIR, laid out as in the tree. What a page links and is
# not copied is linked where it can be read.
#   docs.sh DIR
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: ${0##*/} DIR" >&2; exit 2; }
rm -rf "$1" && mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for file in README.md docs/*.md docs/*.png docs/*.svg docs/openapi.yaml docs/schema/*.json \
	docs/runbooks/*.md deploy/grafana/README.md deploy/prometheus/README.md; do
	install -D -m 0644 "$file" "$out/$file"
done
cd "$out"
find . -name '*.md' -printf '%P\n' | while IFS= read -r page; do
	{ grep -oE '\]\([^):# ]+' "$page" || true; } | cut -c3- | sort -u | while IFS= read -r target; do
		[ -e "$(dirname "$page")/$target" ] && continue
		path=$(realpath -m --relative-to=. "$(dirname "$page")/$target")
		sed -i "s|](${target//./\\.}\([)#]\)|](https://github.com/landlockd/landlockd/blob/main/$path\1|g" "$page"
	done
done
