# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The service of the booted system, from its package: the socket starts it, systemd keeps it, the
# journal has its log, managed files are those in /etc. Nothing here is private, so the system is
# one that was booted for this; what was there before is there afterwards. See service.sh.

SERVICE_RETURNS=1
UNITS=(cordond.socket cordond.service)
LOG_CURSOR=

service_enter()
{
    [ -d /run/systemd/system ] && systemctl --quiet is-enabled cordond.socket || {
        echo "cordon is not installed here, or systemd does not run" >&2
        exit 1
    }
    CORDON_TEST_UID=20000
}

service_place()
{
    CORDON=/usr/bin/cordon
    CORDOND=/usr/sbin/cordond
    WORKER=/usr/libexec/cordon/cordon-worker
    INIT=/usr/libexec/cordon/cordon-init
    systemctl stop "${UNITS[@]}"
    mkdir "$TOP/.installed"
    mv /etc/cordon "$TOP/.installed/" || exit 1
    # Processes of other parts of the test, if there are any.
    PROCESSES_BEFORE=" $(service_processes | paste -sd ' ') "
}

service_user()
{
    useradd --uid "$2" --user-group --no-create-home --home-dir "$3" --shell /bin/bash "$1" || exit 1
}

service_group_add()
{
    groupadd --gid "$2" "$1" && usermod --append --groups "$1" "$3" || exit 1
}

# As it was found.
service_leave()
{
    local name

    rm -rf /etc/cordon /etc/codex
    mv "$TOP/.installed/cordon" /etc/
    for name in cordon-a cordon-b; do
        userdel "$name"
    done
    groupdel cordon-extra
    cd / && umount "$TOP" /tmp
    systemctl start cordond.socket
}

# Its number and, where controllers were delegated to it, its control group. With
# $CORDON_CONTROLLERS, a list, each of these must have been.
service_known()
{
    local group name

    SERVICE_PID=$(systemctl show -P MainPID cordond.service)
    group=/sys/fs/cgroup$(systemctl show -P ControlGroup cordond.service)
    SERVICE_GROUP=
    ! grep -qw memory "$group/cgroup.controllers" 2>/dev/null || SERVICE_GROUP=$group
    for name in ${CORDON_CONTROLLERS:-}; do
        grep -qw "$name" "$group/cgroup.controllers" || fail "no controller $name in $group"
    done
}

# The first client starts it.
service_wake()
{
    local i

    for ((i = 0; i < 100 * ${SLOW:-1}; i++)); do
        "$CORDON" status >/dev/null 2>&1
        [ "$(systemctl is-active cordond.service)" = active ] && service_known &&
            [ "$SERVICE_PID" != "${1:-0}" ] && return 0
        sleep 0.05
    done
    fail "service did not start: $(systemctl status --no-pager cordond.service | tail -n 3)"
}

service_up()
{
    # Cases start it more often than an administrator does.
    systemctl reset-failed "${UNITS[@]}" 2>/dev/null
    systemctl start cordond.socket || fail "the socket does not listen"
    [ "$(systemctl is-active cordond.service)" = inactive ] || fail "it runs before anybody asks"
    service_wake
}

service_down()
{
    systemctl stop "${UNITS[@]}" || fail "service did not stop"
    SERVICE_PID=
    [ ! -e /run/cordon ] || fail "/run/cordon is there without the socket"
}

# systemd does it.
service_again()
{
    local old=$SERVICE_PID

    systemctl reset-failed "${UNITS[@]}" 2>/dev/null
    service_wake "$old"
}

service_log()
{
    journalctl --sync
    journalctl --quiet --boot --output=json ${LOG_CURSOR:+"--after-cursor=$LOG_CURSOR"} \
        _SYSTEMD_UNIT=cordond.service | python3 "$CORDON_SOURCE/tests/support/journal_lines.py" \
        >"$TOP/service.log" || fail "the journal: $(tail -n 1 "$TOP/service.log")"
}

# The cursor is one of the service's: after any other the first that matches would be left out.
service_log_clear()
{
    journalctl --sync
    LOG_CURSOR=$(journalctl --quiet --boot --lines=1 --output=json _SYSTEMD_UNIT=cordond.service |
        sed -n 's/.*"__CURSOR":"\([^"]*\)".*/\1/p')
    : >"$TOP/service.log"
}

# What the service or a user of the test has; and our own control group's.
service_processes()
{
    grep -ls cordon /proc/[0-9]*/cgroup | tr -dc '0-9\n'
}

service_concerns()
{
    local uid

    [[ $PROCESSES_BEFORE != *" $1 "* ]] || return 1
    grep -qs cordon "/proc/$1/cgroup" && return 0
    uid=$(stat -c %u "/proc/$1" 2>/dev/null) || return 1
    [ "$uid" = "$CORDON_TEST_UID" ] || [ "$uid" = $((CORDON_TEST_UID + 1)) ]
}
