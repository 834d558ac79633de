#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Something is mounted over the host's root, where nobody sees it but by ".." there: jobs are refused,
# and say why, as that would be in their sight; and run once it is gone.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"

for CORDON_MODE in service embedded; do
    MODE=(--embedded)
    [ "$CORDON_MODE" = embedded ] || MODE=()
    start_service
    job cordon-a "${MODE[@]}" -- echo before
    expect_out before
    mount -t tmpfs cordon-over / || fail "cannot mount over the root"
    job cordon-a "${MODE[@]}" -- ls /..
    expect_rc 125 "$CORDON_MODE: over the root"
    # Without privileges the kernel sees to it: who is not at the top of all mounts gets no user namespace.
    WHY='mounted over the root of the host'
    [ "$CORDON_MODE" = service ] || WHY='user namespaces'
    expect_err "$WHY" "$CORDON_MODE: over the root"
    umount /.. || fail "cannot unmount it"
    job cordon-a "${MODE[@]}" -- echo after
    expect_out after
    expect_clean
    stop_service
done
