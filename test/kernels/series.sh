#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the kernel patches of deploy/kernel as a maintainer of the kernel would, and prints
# a line for each check: style; that every commit compiles; that no warning of the compiler
# (W=1) or of sparse in the files that a series touches is new, with the features that it
# depends on each on and off, for 32 bits and arm64; that the KUnit tests pass. Kernels are
# booted by make test-kernels.
#
# usage: test/kernels/series.sh [SERIES...]
# Sources of kernels and sparse are fetched from Debian each time, and what compiles them is
# installed where it is missing. Two gigabytes of $TMPDIR are needed.
set -uo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- 7.3 6.18 6.12
failed=0

say() { # RESULT SERIES WHAT [DETAIL]
	printf '%-4s %-5s %s\n' "$1" "$2" "${*:3}"
	[ "$1" != FAIL ] || failed=1
}

# configure makes a configuration, once, and fails if an option did not come to be.
configure() { # OUT ARCH OPTION...
	local out=$1 arch=$2 o
	shift 2
	[ ! -e "$out/configured" ] || return 0
	run "$out" "$arch" tinyconfig || return 1
	{
		if [ "$arch" = x86 ]; then cat "$here/test/vm/kernel/kernel.config"; else
			grep -vE 'CONFIG_(64BIT|PVH|HYPERVISOR_GUEST|UNWINDER_FRAME_POINTER|PROCESSOR_SELECT)=' "$here/test/vm/kernel/kernel.config"
		fi
		printf '%s\n' "$@"
	} >>"$out/.config"
	run "$out" "$arch" olddefconfig || return 1
	for o; do
		case $o in
		"# "*) ! grep -q "^$(echo "$o" | cut -d' ' -f2)=" "$out/.config" ;;
		*) grep -qx "$o" "$out/.config" ;;
		esac || { echo "$o did not come to be"; return 1; }
	done
	touch "$out/configured"
}

run() { # OUT ARCH TARGET...
	local cross=
	[ "$2" != arm64 ] || cross=CROSS_COMPILE=aarch64-linux-gnu-
	# shellcheck disable=SC2086
	nice -n 10 make -s -C "$tree" O="$1" ARCH="$2" $cross -j"$(nproc)" "${@:3}"
}

audit="CONFIG_AUDIT=y"
trace=("CONFIG_FTRACE=y" "CONFIG_ENABLE_DEFAULT_TRACERS=y")
noaudit=("# CONFIG_AUDIT is not set" "# CONFIG_SECURITY_APPARMOR is not set")
nolandlock="# CONFIG_SECURITY_LANDLOCK is not set"
# The first is that in which each commit is compiled.
kinds=("audit, tracepoints" "audit alone, KUnit" "tracepoints alone" "neither" "without Landlock"
	"without security modules" "i386" "arm64")

choose() { # KIND: sets out, arch, targets and options
	out=$work/o-$series-${1//[ ,]/-} arch=x86 targets="security/landlock/ security/security.o fs/proc/base.o"
	options=("$audit" "${trace[@]}")
	case $1 in
	"audit alone, KUnit") options=("$audit" CONFIG_KUNIT=y CONFIG_SECURITY_LANDLOCK_KUNIT_TEST=y) ;;
	"tracepoints alone") options=("${trace[@]}" "${noaudit[@]}") ;;
	neither) options=("${noaudit[@]}") ;;
	"without Landlock") targets="security/security.o fs/proc/base.o" options=("$audit" "$nolandlock") ;;
	"without security modules") targets=fs/proc/base.o options=("# CONFIG_SECURITY is not set" "$nolandlock" "${noaudit[1]}") ;;
	i386) arch=i386 options+=("# CONFIG_64BIT is not set") ;;
	arm64) arch=arm64 ;;
	esac
}

# build builds the files that the series touches, in a directory of the kind's own, and leaves in
# warned what compiler and sparse say of them, without places.
build() { # NAME KIND
	local name=$1 log=$work/log out arch targets options
	choose "$2"
	mkdir -p "$out"
	if ! configure "$out" "$arch" "${options[@]}" >"$log" 2>&1; then
		say FAIL "$series" "$name: not configured: $(tail -1 "$log")"
		return 1
	fi
	# An object that is up to date is not looked at again: it was, with what it is made from.
	# shellcheck disable=SC2086
	if ! run "$out" "$arch" KCFLAGS=-Wno-error W=1 C=1 CHECK="$sparse" $targets >"$log" 2>&1; then
		say FAIL "$series" "$name: $(grep -m1 -i error "$log")"
		return 1
	fi
	if grep -q "but .* is not available or not up to date" "$log"; then
		say FAIL "$series" "$name: $sparse is not one that this kernel takes"
		return 1
	fi
	grep -E 'warning|error' "$log" | grep -oE '(security/landlock/|security/security\.c|fs/proc/base\.c|linux/security\.h).*' |
		sed -E 's/:[0-9]+(:[0-9]+)?:/:/' | sort >"$work/warned"
	# The first time the series is not in the source.
	[ -e "$out/known" ] || mv "$work/warned" "$out/known"
}

# compile builds, and wants no warning that the same configuration does not have without the series.
compile() { # NAME KIND
	build "$@" || return
	local new out arch targets options
	choose "$2"
	new=$(comm -13 "$out/known" "$work/warned")
	if [ -n "$new" ]; then
		say FAIL "$series" "$1: new: $(head -1 <<<"$new")"
	else
		say ok "$series" "$1: no new warning"
	fi
}

# kunit runs the KUnit tests of Landlock as the kernel's developers do, in a kernel that is a
# program (User Mode Linux). That of the series must be among them.
kunit() {
	if (cd "$tree" && nice -n 10 tools/testing/kunit/kunit.py run --kunitconfig=security/landlock \
		--build_dir="$work/o-$series-um" --jobs="$(nproc)") >"$work/log" 2>&1 && grep -q '\[PASSED\] test_permute$' "$work/log"; then
		say ok "$series" "KUnit: $(grep -o 'Ran [0-9]* tests.*' "$work/log")"
	else
		say FAIL "$series" "KUnit: $(grep -m1 -iE 'FAILED|error' "$work/log" || echo 'test_permute did not run')"
	fi
}

sparse=$(go run ./test/kernels/cmd/kernel-source -sparse 2>"$work/log") || {
	cat "$work/log" >&2
	exit 1
}
for series; do
	tree=$work/$series
	if ! version=$(go run ./test/kernels/cmd/kernel-source "$series" "$tree" 2>"$work/log"); then
		say FAIL "$series" "no source: $(tail -1 "$work/log")"
		continue
	fi
	say ok "$series" "source $version"
	for kind in "${kinds[@]}"; do
		build "without the series, $kind" "$kind" || continue 2
	done
	# By standard input: a file that git has is taken for source code.
	for p in "$here"/deploy/kernel/"$series"/000[1-9]-*.patch; do
		"$tree/scripts/checkpatch.pl" --strict --terse --no-summary --root="$tree" - <"$p" >"$work/style" 2>/dev/null
		# The table of pid_entry and its operations stand together as they do above it, and
		# the directories of new files are MAINTAINERS' already.
		grep -vE 'blank line after function/struct|does MAINTAINERS need updating' "$work/style" >"$work/worse"
		[ ! -s "$work/worse" ] && say ok "$series" "style of $(basename "$p")" ||
			say FAIL "$series" "style of $(basename "$p")"
		sed 's/^/           checkpatch: /' "$work/style"
		if ! patch -d "$tree" -p1 --fuzz=0 --forward --batch --no-backup-if-mismatch --reject-file=- <"$p" >"$work/log"; then
			say FAIL "$series" "$(basename "$p") does not apply"
			continue 2
		fi
		grep -qE '^diff --git a/(fs|security|include)/' "$p" || continue
		compile "$(basename "$p" | cut -c1-4): ${kinds[0]}" "${kinds[0]}"
	done
	for kind in "${kinds[@]:1}"; do
		compile "$kind" "$kind"
	done
	kunit
	rm -rf "$tree" "$work/o-$series"-*
done
exit $failed
