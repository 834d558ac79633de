# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Installation, activation by the socket, managed rules; removal.

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o Dpkg::Use-Pty=0 "$@"
}

# Everything on the machine that an installation could leave something in.
listing() {
    # Of the system itself, and of the test: they change whatever is installed.
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /srv -o -path /tmp \
        -o -path /var/tmp -o -path /var/log -o -path /var/cache/apt -o -path /var/lib/apt \
        -o -path /var/lib/dpkg -o -path /var/lib/systemd/timers \) -prune \
        -o -printf 'file %y %m %u:%g %p %l\n'
    find /run -xdev \( -path /run/systemd -o -path /run/user -o -path /run/log \) -prune \
        -o -printf 'file %y %m %u:%g %p\n'
    find /sys/fs/bpf -mindepth 1 -printf 'pin %p\n' 2>/dev/null || true
    find /sys/fs/cgroup -mindepth 1 -type d -not -path '*cordon-test*' -printf 'group %p\n'
    awk '{print "mount", $5, $4}' /proc/self/mountinfo
    systemctl list-unit-files --no-legend --no-pager | awk '{print "unit file", $1, $2}'
    systemctl list-units --all --plain --no-legend --no-pager | awk '{print "unit", $1, $3}'
    ls /var/lib/dpkg/info /var/lib/systemd | sed 's/^/state /'
    sed 's/^/sysctl user.max_fanotify_groups /' /proc/sys/user/max_fanotify_groups
    getent passwd | sed 's/^/user /'
    getent group | sed 's/^/group /'
    processes
}

# Every process outside this test, by name.
processes() {
    local pid
    for pid in /proc/[0-9]*; do
        if ! grep -qs cordon-test "$pid/cgroup" && [[ -s $pid/cmdline ]]; then
            printf 'process %s\n' "$(tr '\0' ' ' <"$pid/cmdline")"
        fi
    done 2>/dev/null
}

# Users are logged out, as the sessions of a user end some seconds after his last one.
settled_listing() {
    loginctl terminate-user alice bob 2>/dev/null || true
    wait_for 20 '[[ -z $(systemctl list-units --all --plain --no-legend "user@*" "user-runtime-dir@*" \
        "session-*" "run-u*") ]]'
    systemctl daemon-reload
    listing | grep -v 'cordon-test' | sort
}

case_install() {
    # It writes into /var/backups at midnight.
    systemctl stop dpkg-db-backup.timer 2>/dev/null || true
    login alice true
    settled_listing >/srv/test/before
    apt_get install /srv/test/old.deb
    dpkg --verify cordon
    [[ $(systemctl is-enabled cordond.socket) == enabled ]] || fail "the socket is not enabled"
    [[ $(stat -c '%U:%G %a' /run/cordon /run/cordon/cordond.sock | paste -sd ' ') == \
        'root:root 755 root:root 666' ]] || fail "$(stat /run/cordon /run/cordon/cordond.sock)"
    [[ ! -w /proc/sys/user/max_fanotify_groups ]] ||
        [[ $(</proc/sys/user/max_fanotify_groups) == 8192 ]] || fail "the limit on groups is not raised"
    # Nothing but comments: no requirement, and no reason to refuse.
    cordon policy check "$REQUIREMENTS"
    for file in /usr/share/{bash-completion/completions/cordon,zsh/site-functions/_cordon} \
        /usr/share/fish/vendor_completions.d/cordon.fish; do
        grep -q sandbox "$file" || fail "$file completes nothing"
    done
    bash -n /usr/share/bash-completion/completions/cordon
}

case_activation() {
    [[ $(systemctl is-active cordond.socket) == active ]] || fail "the socket does not listen"
    [[ $(systemctl is-active cordond.service) == inactive ]] || fail "it runs before the first job"
    expect 0 job alice -- id -un
    [[ $OUT == *alice* ]] || fail "$OUT"
    [[ $(systemctl is-active cordond.service) == active ]] || fail "it does not run"
    expect 7 job bob -- sh -c 'exit 7'
    # Both came over the one service.
    grep -q 'service' <(login alice cordon doctor) || fail "no service in doctor"
    [[ $(entries "MESSAGE_ID=$(message_id start)") == 2 ]] || fail "not two jobs"
}

case_managed() {
    local user mode
    install -d -m 755 /srv/secret
    echo SECRET >/srv/secret/file
    echo SECRET >/srv/key.pem
    echo plain >/srv/plain
    require 'allowed_sandbox_modes = ["read-only", "workspace-write"]
[permissions.filesystem]
deny_read = ["/srv/secret", "/**/*.pem"]
[[cordon.rule]]
users = ["bob"]
deny_read = ["/srv/plain"]'
    for user in alice bob; do
        for mode in read-only workspace-write; do
            denied job "$user" -s "$mode" -- cat /srv/secret/file
            denied job "$user" -s "$mode" -- cat /srv/key.pem
            denied job "$user" -s "$mode" -- ls /srv/secret
            expect 0 job "$user" -s "$mode" -- cat /etc/hostname
        done
        expect 0 login "$user" cat /srv/secret/file
    done
    expect 0 job alice -- cat /srv/plain
    denied job bob -- cat /srv/plain
    expect 125 job alice -s danger-full-access -- true
}

case_purge() {
    systemctl status cordond.service >/dev/null || fail "it does not run before the removal"
    touch /etc/cordon/requirements.d.note
    systemctl enable cordon-fetch.service
    install -d -o cordon-fetch -g cordon-fetch /var/lib/cordon/fetch
    touch /var/lib/cordon/requirements.signed
    apt_get remove cordon
    [[ -e $REQUIREMENTS ]] || fail "the configuration is gone before the purge"
    [[ ! -e /run/cordon && ! -e /sys/fs/bpf/cordon ]] || fail "left after the removal"
    apt_get purge cordon
    settled_listing >/srv/test/after
    diff /srv/test/before /srv/test/after
    echo "figure: $(wc -l </srv/test/after) files, units, groups, mounts, users, processes as before"
}
