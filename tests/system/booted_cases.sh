#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# booted_cases.sh ID...: cases of tests/adversarial against the installed service of a Debian 12 that
# systemd has booted, by systemd-nspawn: tests/system/booted/cases.sh. As booted.sh in all else; the
# root has what the cases run, which that of a minimal system has not.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
MACHINE=cordon-booted-cases-$$
. "$HERE/../support/guest.sh"

guest_begin
cases_root "$SPACE/root" || die "no Debian root can be made here"
echo "root ready after $SECONDS s"
guest_boot
echo "booted after $SECONDS s"
status=0
guest_run bash /srv/test/cases.sh "$@" || status=$?
echo "figure: $(inside cat /srv/test/summary 2>/dev/null), $SECONDS s"
exit "$status"
