#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the part of a changelog (standard input) that is about a version, without its
# heading: of "v1.2.3" what stands below "## 1.2.3" or "## 1.2.3 / DATE", and of what is
# no release, like "v1.2.3-4-gabc" or "dev", what stands below "## Unreleased".
#   notes.sh VERSION <CHANGELOG.md
set -euo pipefail
[ $# = 1 ] || { echo "usage: ${0##*/} VERSION <CHANGELOG.md" >&2; exit 2; }
version=${1#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[a-z]+\.?[0-9]+)?$ ]] || version=Unreleased
# Blank lines ahead of the part are left out, and so are those behind it, by the shell.
notes=$(awk -v want="$version" '
	/^## / { inside = $2 == want; next }
	inside && (NF || printed) { printed = 1; print }')
[ -n "$notes" ] || { echo "${0##*/}: the changelog has no part for $version" >&2; exit 1; }
printf '%s\n' "$notes"
