#!/bin/sh
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The first process of a guest: its links from /lab/network, SSH, and pluto.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
for directory in /run /tmp; do mount -t tmpfs tmpfs $directory; done
mkdir -p /run/sshd /run/lock /run/pluto
hostname -F /etc/hostname
ip -batch /lab/network
# Without PAM, sshd takes "!" as a locked account, even for keys.
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
/usr/sbin/sshd -e
/lab/pluto.sh
# The kernel panics when its first process ends.
while :; do sleep 1000; done
