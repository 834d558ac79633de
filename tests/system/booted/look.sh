# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# look.sh COUNT: as a user, jobs in a row, each of which looks twice at what either rule denies.
look='for i in 1 2; do
    for f in left/f right/f x.left x.right; do
        if cat /srv/gen/$f >/dev/null 2>&1; then printf "%s+ " $f; else printf "%s- " $f; fi
    done
    sleep 0.03
done; echo'
for ((i = 0; i < $1; i++)); do
    cordon sandbox linux -- sh -c "$look" 2>&1
    echo "status $?"
done
