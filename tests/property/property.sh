#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# property.sh [--seed N] [--steps N] [--self-test]: random operations by a job and the host against
# an independent model of what is denied; see README.md. --self-test: it notices mutations, too.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../support/service.sh"
harness_enter "$@"

property()
{
    start_service
    /usr/bin/python3 "$HERE/property.py" --cordon "$CORDON" --top "$TOP" "$@"
    RC=$?
    [ "$RC" = 0 ] || exit "$RC"
    stop_service
    expect_clean
}

install -m 644 "$HERE/agent.py" "$TOP/agent.py"
if [ "${1:-}" = --self-test ]; then
    shift
    for mutation in rule model history; do
        property --mutate "$mutation" --seed 1 --steps 4000
    done
fi
property "$@"
