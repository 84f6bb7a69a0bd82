#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hook of mmdebstrap: makes a fresh Debian into a guest of the tests. $1 is its root.
set -eu
root=$1

# What only costs time in a machine that lives for a minute.
chroot "$root" systemctl --quiet mask \
	getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer \
	systemd-update-utmp.service systemd-update-utmp-runlevel.service \
	systemd-random-seed.service systemd-modules-load.service systemd-pstore.service \
	systemd-journal-flush.service systemd-sysusers.service systemd-firstboot.service \
	kmod-static-nodes.service modprobe@.service \
	dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
	sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount

# Servers that a scenario has start when its checks say so.
rm -f "$root"/etc/systemd/system/multi-user.target.wants/prometheus*.service

# Generators find nothing here: there is no fstab, and one disk.
mkdir -p "$root/etc/systemd/system-generators"
for generator in "$root"/usr/lib/systemd/system-generators/*; do
	ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
done

echo guest >"$root/etc/hostname"
echo "127.0.0.1 localhost guest" >"$root/etc/hosts"
echo 6c616e646c6f636b6467756573740000 >"$root/etc/machine-id"
mkdir -p "$root/payload" "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/guest.conf"

# Two people: one who works here, one who means ill.
chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 alice
chroot "$root" useradd --create-home --shell /bin/bash --uid 1001 mallory

# /payload gets the program that runs the checks, and what it needs. When it
# ends, however it does, so does the guest.
cat >"$root/etc/systemd/system/checks.service" <<-'UNIT'
	[Unit]
	Description=The checks of this boot
	After=dbus.service systemd-logind.service systemd-user-sessions.service
	Wants=dbus.service systemd-logind.service
	SuccessAction=reboot-immediate
	FailureAction=reboot-immediate

	[Service]
	Type=exec
	ExecStart=/payload/guest run
	StandardOutput=tty
	TTYPath=/dev/ttyS0
	StandardError=journal
	OOMScoreAdjust=-900

	[Install]
	WantedBy=multi-user.target
UNIT
chroot "$root" systemctl --quiet enable checks.service
chroot "$root" systemctl --quiet set-default multi-user.target
