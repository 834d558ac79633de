# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A service of the test's own. The script is started again in mount and pid namespaces of its own,
# where /etc is a copy, /run and the folder of the test users are tmpfs: the machine never sees a
# test user, a policy file or a socket, parallel tests do not meet, and a killed test leaves
# nothing. See service.sh.

SERVICE_RETURNS=0

service_enter()
{
    if [ -z "${CORDON_TEST_UID:-}" ]; then
        CORDON_BUILD=$(cd "$CORDON_BUILD" && pwd) || exit 1
        export CORDON_BUILD CORDON_TEST_UID=$((1000000 + $$ * 4))
        # Who was started in the background ignores what the tests send.
        exec env --default-signal=INT,QUIT,HUP \
            unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
            -- "$BASH" "$0" "$@"
    fi
}

service_place()
{
    # A copy and not an overlay: those do not nest, and need more rights in a user namespace.
    mkdir "$TOP/.etc"
    cp -a /etc/. "$TOP/.etc/" && mount --bind "$TOP/.etc" /etc || exit 1
    mount -t tmpfs -o mode=755 cordon-run /run || exit 1
    rm -rf /etc/codex /etc/cordon
    mkdir -m 1777 /run/lock
    CORDON=$CORDON_BUILD/client/cordon
    CORDOND=$CORDON_BUILD/broker/cordond
    WORKER=$CORDON_BUILD/broker/cordon-worker
    INIT=$CORDON_BUILD/platform/linux/cordon-init
}

# All of it goes with the namespaces.
service_leave() { :; }

service_user()
{
    echo "$1:x:$2:$2::$3:/bin/bash" >>/etc/passwd
    echo "$1:x:$2:" >>/etc/group
}

service_group_add()
{
    echo "$1:x:$2:$3" >>/etc/group
}

# A control group of the service's own, as Delegate=yes gives it; none where cgroup v2 has no
# controllers to give (SERVICE_GROUP is empty then).
service_group()
{
    SERVICE_GROUP=
    grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null || return 0
    echo '+memory +pids +cpu' 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || return 0
    SERVICE_GROUP=/sys/fs/cgroup/service.$CORDON_TEST_UID
    service_group_remove
    SERVICE_ENTRY=$SERVICE_GROUP
    # Of a service that was killed something is left, which the next one has to remove.
    [ ! -d "$SERVICE_GROUP" ] || SERVICE_ENTRY=$SERVICE_GROUP/cordon-service
    mkdir -p "$SERVICE_ENTRY" || fail "no control group for the service"
}

# What was in it may take a moment to be gone; what stays shows as left behind.
service_group_remove()
{
    local i

    for ((i = 0; i < 100; i++)); do
        [ -n "$SERVICE_GROUP" ] && [ -d "$SERVICE_GROUP" ] || return 0
        rmdir "$SERVICE_GROUP/cordon-service" "$SERVICE_GROUP" 2>/dev/null
        [ -z "$(find "$SERVICE_GROUP" -name 'cordon-job-*')" ] || return 0
        sleep 0.01
    done
}

# A socket has its name before anybody may connect to it.
service_listens()
{
    local flags inode path

    [ -S /run/cordon/cordond.sock ] || return 1
    while read -r _ _ _ flags _ _ inode path; do
        [ "$flags $path" != '00010000 /run/cordon/cordond.sock' ] ||
            [ -z "$(find "/proc/$SERVICE_PID/fd" -lname "socket:\[$inode\]" 2>/dev/null)" ] || return 0
    done </proc/net/unix
    return 1
}

service_up()
{
    local i

    service_group
    (
        [ -z "$SERVICE_GROUP" ] || echo "$BASHPID" >"$SERVICE_ENTRY/cgroup.procs" || exit 1
        # With the unit's environment.
        # shellcheck disable=SC2046
        exec env $(sed -n 's/^Environment=//p' "$CORDON_SOURCE/packaging/systemd/cordond.service.in") "$CORDOND"
    ) >>"$TOP/service.log" 2>&1 &
    SERVICE_PID=$!
    for ((i = 0; i < 500 * ${SLOW:-1}; i++)); do
        service_listens && return 0
        kill -0 "$SERVICE_PID" 2>/dev/null || break
        sleep 0.01
    done
    fail "service did not start: $(tail -n 3 "$TOP/service.log")"
}

service_down()
{
    local i

    kill -TERM "$SERVICE_PID" 2>/dev/null
    for ((i = 0; i < 500; i++)); do
        kill -0 "$SERVICE_PID" 2>/dev/null || break
        sleep 0.01
    done
    if kill -KILL "$SERVICE_PID" 2>/dev/null; then
        SERVICE_PID=
        fail "service did not stop in 5 s"
    fi
    wait "$SERVICE_PID" 2>/dev/null
    SERVICE_PID=
    service_group_remove
}

service_again()
{
    wait "$SERVICE_PID" 2>/dev/null
    SERVICE_PID=
    rm -f /run/cordon/cordond.sock
    start_service
}

# Its log is what it writes.
service_log() { :; }

service_log_clear()
{
    : >"$TOP/service.log"
}

# The namespace holds nothing else.
service_concerns() { :; }
