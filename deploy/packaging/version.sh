#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the version of packages for what "git describe" says: 1.2.3 for v1.2.3,
# 1.3.0~rc.1 for v1.3.0-rc.1, 1.2.3+4.gabc for the fourth commit after v1.2.3, and
# 0.0.0~git<date>.<commit>, which sorts before every release, without any tag.
#   version.sh DESCRIPTION EPOCH
set -euo pipefail
[ $# = 2 ] || { echo "usage: ${0##*/} DESCRIPTION EPOCH" >&2; exit 2; }
if [[ $1 =~ ^v?([0-9]+\.[0-9]+\.[0-9]+)(-([a-z]+\.?[0-9]+))?$ ]]; then
	# Before the release that it is a candidate for: dpkg and rpm both take "~" so.
	echo "${BASH_REMATCH[1]}${BASH_REMATCH[3]:+~${BASH_REMATCH[3]}}"
elif [[ $1 =~ ^v?([0-9]+\.[0-9]+\.[0-9]+)-([0-9]+-g[0-9a-f]+(-dirty)?)$ ]]; then
	echo "${BASH_REMATCH[1]}+${BASH_REMATCH[2]//-/.}"
else
	echo "0.0.0~git$(date -u -d "@$2" +%Y%m%d%H%M%S).$(tr -c 'a-zA-Z0-9\n' . <<<"$1")"
fi
