#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signs DIR/SHA256SUMS, which release.sh wrote, into DIR/SHA256SUMS.sig, and verifies that as users
# do, by the keys of ALLOWED (allowed_signers): a signature that they would refuse is none.
#   sign.sh DIR KEY [ALLOWED]      KEY is the file of a private key, as ssh-keygen makes it
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: ${0##*/} DIR KEY [ALLOWED]" >&2; exit 2; }
allowed=${3:-$(dirname "${BASH_SOURCE[0]}")/allowed_signers}
sums=$1/SHA256SUMS
rm -f "$sums.sig"
ssh-keygen -q -Y sign -n release -f "$2" "$sums"
ssh-keygen -Y verify -f "$allowed" -I landlockd -n release -s "$sums.sig" <"$sums" || {
	rm -f "$sums.sig"
	echo "${0##*/}: $allowed does not have this key" >&2
	exit 1
}
