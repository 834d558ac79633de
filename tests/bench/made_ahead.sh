#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Waits until two jobs that were made ahead wait, as many as there are of one kind: on a machine that
# is busy a pause alone does not say that there are any. Fails after 5 s.
at=0
while [ "$(pgrep -c -x cordon-init)" -lt 2 ]; do
    at=$((at + 1))
    [ "$at" -le 250 ] || {
        echo "bench: no job is made ahead" >&2
        exit 1
    }
    sleep 0.02
done
