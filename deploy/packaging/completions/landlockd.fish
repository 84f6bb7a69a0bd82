# SPDX-License-Identifier: Apache-2.0
# The program itself says what may follow the words before the current one.
function __landlockd_follow
	set -l before (commandline -opc)
	set -l program $before[1]
	set -e before[1]
	string match -q -- '-*' (commandline -ct); and set -a before --
	$program --completion-bash $before 2>/dev/null
end
complete -c landlockd -a '(__landlockd_follow)'
