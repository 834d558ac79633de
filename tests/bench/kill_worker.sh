#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ends the caller's session worker and waits for that: his next job is then as the first one is.
pkill -KILL -x -U "$(id -u)" cordon-worker
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    pgrep -x -U "$(id -u)" cordon-worker >/dev/null || exit 0
    sleep 0.01
done
exit 1
