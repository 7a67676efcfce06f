#!/usr/bin/env bash
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The first process of a host, already in namespaces of its own (network, mounts, processes, host name).
# It gives the host files of its own and then is the host's SSH server: when it ends, the host ends.
#
# usage: init.sh NAME SCRATCH FILES
#   SCRATCH  an empty directory; what the host writes goes to memory mounted there, and is gone with the host
#   FILES    the host's own files, laid out as under /
set -euo pipefail

name=$1 scratch=$2 files=$3

hostname "$name"
# A namespace whose name is mounted here would outlive its deletion.
umount --recursive --lazy /run/netns

mount -t tmpfs -o mode=0755 "$name" "$scratch"
# The machine's files, copied when written to. One overlay of / would miss what is mounted below /.
for directory in /etc /opt /srv /usr/local /var; do
    mkdir -p "$scratch/upper$directory" "$scratch/work$directory"
    mount -t overlay "$name" "$directory" \
        -o "lowerdir=$directory,upperdir=$scratch/upper$directory,workdir=$scratch/work$directory"
done

# What the machine's owner has there is no concern of the host's.
rm -rf /etc/ssh /etc/swanctl /etc/strongswan.conf /etc/strongswan.d /etc/ipsec.conf /etc/ipsec.secrets /etc/ipsec.d \
    /etc/sysctl.conf /etc/sysctl.d /etc/network
mkdir -p /etc/sysctl.d /etc/network/if-up.d /etc/network/interfaces.d
# The checkout may lie in /home, /root or /tmp, and is out of sight from here on.
tar -c -C "$files" --owner=0 --group=0 . >"$scratch/files.tar"
exec 3<"$scratch/files.tar"
mount -t tmpfs -o mode=0755 "$name" /run
mount -t tmpfs -o mode=1777 "$name" /tmp
mount -t tmpfs -o mode=0700 "$name" /root
mount -t tmpfs -o mode=0755 "$name" /home
tar -x -C / -p -f - --no-overwrite-dir <&3
exec 3<&-
mkdir -p /run/sshd /run/lock

# Without PAM, sshd takes "!" as a locked account, even for keys.
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
sed -i '/^127\.0\.1\.1/d' /etc/hosts
echo "127.0.1.1 $name" >>/etc/hosts
echo "$name" >/etc/hostname

# Everything else is the machine's and stays as it is: its files, and its kernel's settings but for those of the network.
mount --bind /proc/sys /proc/sys
mount --bind /proc/sys/net /proc/sys/net
mount -o remount,bind,ro /proc/sys
mount -o remount,bind,ro /
exec /usr/sbin/sshd -D -e
