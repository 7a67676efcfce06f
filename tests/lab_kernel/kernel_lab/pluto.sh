#!/bin/sh
# Copyright (c) 2026, the bothends.vpn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts pluto, or starts it anew, as Debian's ipsec.service does.
ipsec whack --shutdown 2>/dev/null && sleep 1
/usr/libexec/ipsec/addconn --config /etc/ipsec.conf --checkconfig
/usr/libexec/ipsec/_stackmanager start
ipsec checknss
exec /usr/libexec/ipsec/pluto --leak-detective --config /etc/ipsec.conf --logfile /var/log/pluto.log
