#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, as root on Debian; elsewhere says what is missing.
set -euo pipefail

# command:package
needs=(
	cc:gcc                          # the truth generator; the race detector
	clang-14:clang-14               # regenerates the BPF objects; another clang gives other bytes
	llvm-strip-14:llvm-14
	curl:curl
	git:git
	promtool:prometheus             # checks metrics and rules
	prometheus-node-exporter:prometheus-node-exporter # serves textfiles; measured beside landlockd
	prometheus-process-exporter:prometheus-process-exporter # measured beside landlockd
	amtool:prometheus-alertmanager  # checks inhibitions
	setpriv:util-linux
	strace:strace                   # counts system calls
	buildah:buildah                 # the image
	podman:podman
	runc:runc                       # Debian's crun does not know hosts with cgroups v1 and v2
	rpm:rpm                         # packages
	jq:jq                           # their bill of materials, their provenance
	ssh-keygen:openssh-client        # their signature
	lintian:lintian
	mmdebstrap:mmdebstrap           # the Debian that packages are installed in, and the one with programs to scan
	npm:npm                         # codex, a program to scan; what draws dashboards
	systemd-analyze:systemd
	man:man-db                      # the manual page, completions
	zsh:zsh
	fish:fish
	chromium-headless-shell:chromium-headless-shell # looks at pages and dashboards
	tmux:tmux                       # a terminal for top; a server outside that a sandboxed shell can ask
)
headers=(/usr/include/bpf/bpf_helpers.h:libbpf-dev /usr/include/stdio.h:libc6-dev
	/usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring)

packages=() missing=()
for n in "${needs[@]}"; do
	command -v "${n%%:*}" >/dev/null || { packages+=("${n##*:}"); missing+=("${n%%:*}"); }
done
for h in "${headers[@]}"; do
	[ -e "${h%%:*}" ] || { packages+=("${h##*:}"); missing+=("${h%%:*}"); }
done
[ "${#packages[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
	echo "installing: ${packages[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
else
	echo "the tests need these, which are not here: ${missing[*]}" >&2
	echo "on Debian, run make test as root, or: apt-get install ${packages[*]}" >&2
	exit 1
fi
