#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fanotify_groups.sh SOURCE CORDON: the number of fanotify groups that doctor wants is the one that
# the packages set, and that their removal takes back.
set -euo pipefail
cd "$1"
want=$(sed -n 's/^#define LINUX_FANOTIFY_GROUPS \([0-9]*\)U$/\1/p' platform/linux/backend.h)
[[ -n $want ]] || {
    echo "no number in backend.h"
    exit 1
}
while IFS=: read -r file line; do
    grep -qxF -- "$line" "packaging/$file" || {
        echo "$file: does not say: $line"
        exit 1
    }
done <<LINES
systemd/cordon.sysctl.conf:-user.max_fanotify_groups = $want
deb/postrm:    [ "\$(cat \$groups)" = $want ]; then
rpm/postun:if [ "\$1" = 0 ] && [ -d /run/systemd/system ] && [ -w \$groups ] && [ "\$(cat \$groups)" = $want ]; then
LINES
grep -q "user.max_fanotify_groups = $want " platform/linux/probe.c || {
    echo "the remedy of doctor names another number"
    exit 1
}

# The scripts of both packages, in namespaces that have a limit of their own.
[[ -x /usr/lib/systemd/systemd-sysctl ]] && unshare -Urmpf --mount-proc true 2>/dev/null || {
    echo "the scripts are not run: no systemd-sysctl, or no user namespace"
    exit 0
}
CORDON=$2 unshare -Urmpf --mount-proc bash -euo pipefail <<'SCRIPT'
limit=/proc/sys/user/max_fanotify_groups
mount -t tmpfs groups-run /run
mkdir -p /run/systemd/system /run/bin
for name in etc usr/lib; do
    mkdir -p "/run/$name"
    mount --bind "/run/$name" "/$name/sysctl.d"
done
for name in systemctl deb-systemd-helper deb-systemd-invoke systemd-sysusers; do
    printf '#!/bin/sh\n' >"/run/bin/$name"
    chmod 755 "/run/bin/$name"
done
export PATH=/run/bin:$PATH

# is NUMBER WHEN
is() {
    [[ $(<$limit) == "$1" ]] || {
        echo "$2: $(<$limit), not $1"
        exit 1
    }
}

# package WITH AFTER SCRIPT ARGUMENT SCRIPT ARGUMENT: the limit after each of the two scripts.
package() {
    local with=$1 after=$2

    shift 2
    cp packaging/systemd/cordon.sysctl.conf /usr/lib/sysctl.d/50-cordon.conf
    sh "packaging/$1" "$2"
    is "$with" "$1"
    rm /usr/lib/sysctl.d/50-cordon.conf
    sh "packaging/$3" "$4"
    is "$after" "$3"
}

# doctor STATE EVIDENCE
doctor() {
    local found

    found=$("$CORDON" doctor | grep 'fanotify groups')
    [[ $found == *"$1"*"fanotify groups"*"$2"* ]] || {
        echo "doctor, with $(<$limit): $found"
        exit 1
    }
}

echo 128 >$limit
doctor note '128: more than some 64 jobs at once wait'
echo 8191 >$limit
doctor note '8191: '
echo 8192 >$limit
doctor ok '8192: '
echo 128 >$limit
package 8192 128 deb/postinst configure deb/postrm remove
package 8192 128 rpm/post 1 rpm/postun 0
# What an administrator wants stays.
echo 'user.max_fanotify_groups = 500' >/etc/sysctl.d/90-own.conf
package 500 500 deb/postinst configure deb/postrm remove
package 500 500 rpm/post 1 rpm/postun 0
echo 8192 >$limit
sh packaging/deb/postrm remove
is 500 "over what an administrator wants"
SCRIPT
