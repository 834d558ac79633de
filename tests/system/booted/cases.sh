#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cases.sh ID...: inside the booted system, as root: the package is installed, cases of
# tests/adversarial run against its service, it is purged, and the system is what it was.
export LC_ALL=C.UTF-8
HERE=/srv/test
. "$HERE/lib.sh"
. "$HERE/install.sh"

mount -t bpf bpf /sys/fs/bpf 2>/dev/null
# Files that the first user who is added leaves are not the package's.
useradd --create-home alice && userdel --remove alice
settled_listing >"$HERE/before"
apt_get install "$HERE/cordon.deb" || exit 1
CORDON_SERVICE=installed CORDON_BUILD=$HERE/build \
    bash "$HERE/source/tests/adversarial/run" --mode service "$@" | tee "$HERE/lines"
status=${PIPESTATUS[0]}
apt_get purge cordon || status=1
settled_listing >"$HERE/after"
diff "$HERE/before" "$HERE/after" || {
    echo "FAIL the system is not what it was"
    status=1
}
for id in "$@"; do
    grep -q "^PASS $id " "$HERE/lines" && continue
    echo "FAIL no PASS of $id"
    status=1
done
echo "$(grep -c '^PASS ' "$HERE/lines") passed, $(grep -vc '^PASS ' "$HERE/lines") not;" \
    "$(systemd-detect-virt), $(uname -r)" >"$HERE/summary"
exit "$status"
