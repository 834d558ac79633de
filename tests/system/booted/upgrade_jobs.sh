# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# upgrade_jobs.sh COUNT: as a user, COUNT jobs that try to read what is denied until they are
# ended, and short ones, one after another, until /srv/up/stop.
me=$(id -un)
loop='touch $0.runs; while :; do cat /srv/secret/file; sleep 0.5; done'
for ((i = 0; i < $1; i++)); do
    (
        name=/srv/up/$me-$i
        cordon sandbox linux -s workspace-write -c 'sandbox_workspace_write.writable_roots=["/srv/up"]' \
            -- sh -c "$loop" "$name" up-loop >"$name.out" 2>"$name.err.part"
        echo $? >"$name.status.part"
        cat "$name.err.part" >>"$name.out"
        # The job may have been ended in the middle of a line.
        grep -o 'cordon: .*' "$name.err.part" >"$name.err"
        rm "$name.err.part"
        mv "$name.status.part" "$name.status"
    ) &
done
while [[ ! -e /srv/up/stop ]]; do
    out=$(cordon sandbox linux -- cat /srv/secret/file 2>&1)
    status=$?
    case $status in
    125) echo "refused 125 $(grep '^cordon: ' <<<"$out" | grep -v Landlock | head -n 1)" ;;
    *) [[ $out == *SECRET* ]] && echo "READ $status" || echo "denied $status" ;;
    esac >>"/srv/up/short.$me"
    sleep 0.02
done
wait
