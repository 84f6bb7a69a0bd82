#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hook of mmdebstrap, in a tree of packages that were unpacked and no more: no program of
# theirs runs on a machine of another architecture. Does what is needed of what dpkg and the
# packages' scripts do, and makes a guest of it. $1 is the tree.
set -eu
root=$1

# That they are installed, for what depends on them.
for deb in "$root"/var/cache/apt/archives/*.deb; do
	name=$(dpkg-deb --field "$deb" Package)
	dpkg-deb --field "$deb" | sed '1a Status: install ok installed'
	echo
	[ "$(dpkg-deb --field "$deb" Multi-Arch)" != same ] || name=$name:$(dpkg-deb --field "$deb" Architecture)
	dpkg-deb --fsys-tarfile "$deb" | tar --list | sed 's|^\./|/|; s|/$||; s|^$|/.|' >"$root/var/lib/dpkg/info/$name.list"
done >"$root/var/lib/dpkg/status"
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"

# What nobody reads there.
rm -rf "$root"/usr/share/man "$root"/usr/share/doc "$root"/usr/share/locale "$root"/usr/share/info \
	"$root"/var/cache/apt "$root"/var/lib/apt

# What only costs time in a machine that lives for a minute.
units=$root/etc/systemd/system
mkdir -p "$units/multi-user.target.wants" "$root/etc/systemd/system-generators"
for unit in getty.target systemd-tmpfiles-clean.timer dpkg-db-backup.timer fstrim.timer \
	systemd-update-utmp.service systemd-random-seed.service systemd-modules-load.service \
	systemd-pstore.service systemd-journal-flush.service systemd-journal-catalog-update.service \
	systemd-firstboot.service systemd-hwdb-update.service systemd-machine-id-commit.service \
	ldconfig.service kmod-static-nodes.service modprobe@.service dev-hugepages.mount \
	dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
	sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount; do
	ln -s /dev/null "$units/$unit"
done
for generator in "$root"/usr/lib/systemd/system-generators/*; do
	ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
done
ln -s /usr/lib/systemd/system/multi-user.target "$units/default.target"
echo guest >"$root/etc/hostname"
echo "127.0.0.1 localhost guest" >"$root/etc/hosts"
echo 6c616e646c6f636b6467756573740000 >"$root/etc/machine-id"

# /init is the guest's program. When it ends, however it does, so does the guest.
cat >"$units/checks.service" <<-'UNIT'
	[Unit]
	Description=The checks of this boot
	SuccessAction=reboot-immediate
	FailureAction=reboot-immediate

	[Service]
	Type=exec
	ExecStart=/init run
	StandardOutput=tty
	TTYPath=/dev/console
	StandardError=journal
UNIT
ln -s ../checks.service "$units/multi-user.target.wants/checks.service"
