# SPDX-License-Identifier: Apache-2.0
# The program itself says what may follow the words before the current one.
_landlockd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	[[ $word != -* ]] || before+=(--)
	mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --completion-bash "${before[@]}" 2>/dev/null)" -- "$word")
}
complete -o default -F _landlockd landlockd
