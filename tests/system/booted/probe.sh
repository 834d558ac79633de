# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# probe.sh MODE [own]: as a user, what this login sees and what its job does; with "own", after
# it has changed for itself what a process can.
if [[ ${2:-} == own ]]; then
    ulimit -Sn 300
    ulimit -Hn 400
    ulimit -c 0
    umask 027
    echo 321 >/proc/self/oom_score_adj
    # By one, from wherever the machine is.
    renice -n $(($(nice) + 1)) $$ >/dev/null
fi
/srv/test/leak_probe >/srv/out/login
cordon sandbox linux -s "$1" -- /srv/test/leak_probe >/srv/out/job
