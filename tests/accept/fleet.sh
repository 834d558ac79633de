#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept fleet [ROW...]: managed requirements from where fleets keep them.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

accept_begin fleet "$@"
if ! dev_build; then
    echo "FAIL: the dev preset does not build" >&2
    exit 1
fi
row https "ETag; bad signature, older, cut short, oversize, cut network, restart: last good and alarm" \
    script fetch
row etcd "three members, one killed; ten brokers in under 2 s, and for the next job" \
    script fleet --brokers 10
accept_end
