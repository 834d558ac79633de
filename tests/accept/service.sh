#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept service [ROW...]: the acceptance lines of the order about the service in use.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Nothing that the linters of both formats find is left unexplained.
packages() {
    local -a made debs=() rpms=()
    local file status=0
    mapfile -t made < <("$DEV" package)
    for file in "${made[@]}"; do
        case $file in
        *.deb) debs+=("$file") ;;
        *.rpm) rpms+=("$file") ;;
        esac
    done
    ((${#debs[@]} == 3 && ${#rpms[@]} == 1)) || return 1
    # No distribution has a bug to close by it.
    lintian --allow-root --fail-on error,warning \
        --suppress-tags initial-upload-closes-no-bugs "${debs[@]}" || status=1
    rpmlint --strict -c "$CORDON_ROOT/packaging/rpm/rpmlint.toml" "${rpms[@]}" || status=1
    echo "figure: ${#debs[@]} deb, ${#rpms[@]} rpm"
    return "$status"
}

booted() {
    script booted
}

accept_begin service "$@"
if ! dev_build; then
    echo "FAIL: the dev preset does not build" >&2
    exit 1
fi
row packages "lintian and rpmlint: no error, no warning" packages
row booted "installed, activated, reloaded, upgraded under load, purged; nothing left" booted
accept_end
