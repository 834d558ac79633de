#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# booted.sh [CASE...]: the packages in a Debian 12 that systemd has booted, by systemd-nspawn.
# What happens inside is tests/system/booted/main.sh. The root is made once and kept in
# ${XDG_CACHE_HOME:-~/.cache}/cordon/roots; each run has a copy. Nothing is left on the host.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
MACHINE=cordon-booted-$$
. "$HERE/../support/guest.sh"

make_root() {
    local old new
    old=$(package 1) && new=$(package 2) || die "the packages cannot be made"
    system_root "$SPACE/root" '' || die "no Debian root can be made here"
    mkdir "$SPACE/root/srv/test"
    cp "$HERE"/booted/* "$CORDON_BUILD/tests/system/leak_probe" "$SPACE/root/srv/test/"
    cp "$old" "$SPACE/root/srv/test/old.deb"
    cp "$new" "$SPACE/root/srv/test/new.deb"
}

guest_begin
make_root
echo "root ready after $SECONDS s"
guest_boot
echo "booted after $SECONDS s"
status=0
guest_run bash /srv/test/main.sh "$@" || status=$?
echo "figure: $(inside cat /srv/test/summary 2>/dev/null), $SECONDS s"
exit "$status"
