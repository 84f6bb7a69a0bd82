#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the commit that the tree here is of: none, if anything in it is changed or beside it, as
# that may be built in, and none without Git.
#   revision.sh
set -euo pipefail
[ $# -eq 0 ] || { echo "usage: ${0##*/}" >&2; exit 2; }
changes=$(git status --porcelain 2>/dev/null) || exit 0
[ -n "$changes" ] || git rev-parse --verify -q HEAD || :
