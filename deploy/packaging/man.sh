#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the manual page of a landlockd, from its flags, to standard output.
#   man.sh PROGRAM VERSION DATE
set -euo pipefail
[ $# = 3 ] || { echo "usage: ${0##*/} PROGRAM VERSION DATE" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$1" --help-man | awk -v version="$2" -v date="$3" '
	NR == 1 { print ".TH LANDLOCKD 1 \"" date "\" \"landlockd " version "\" \"User Commands\""; next }
	NR > 1 && !begun && !/^\.SH/ { next } # the rest of --version
	{ begun = begun || /^\.SH/ }
	# apropos(1) wants a name, a dash and a description.
	name { print "landlockd \\- coverage of Landlock sandboxes, for Prometheus and for people"; name = 0; next }
	/^\.SH "NAME"/ { name = 1 }
	# Text may not begin with what troff takes for a request. Flags are typed with
	# the character "-", which is not a hyphen.
	/^\./ { print; next }
	{ gsub(/\\fR/, "\001"); gsub(/\\fB/, "\002"); gsub(/\\fI/, "\003"); gsub(/\\/, "\\e"); gsub(/-/, "\\-")
	  gsub("\001", "\\fR"); gsub("\002", "\\fB"); gsub("\003", "\\fI"); sub(/^'"'"'/, "\\(aq"); print }'
cat "$here/man.tail"
