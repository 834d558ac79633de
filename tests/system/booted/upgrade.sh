# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The package is upgraded while jobs of two users run and others are started.

JOBS=50

case_upgrade() {
    local user each=$((JOBS / 2)) reasons
    require '[permissions.filesystem]
deny_read = ["/srv/secret"]'
    mkdir -m 1777 /srv/up
    for user in alice bob; do
        login "$user" bash /srv/test/upgrade_jobs.sh "$each" &
    done
    wait_for 30 '[[ $(ls /srv/up/*.runs 2>/dev/null | wc -l) == $JOBS ]]'
    apt_get install /srv/test/new.deb
    [[ $(dpkg-query -W -f '${Version}' cordon) == *-2 ]] || fail "the old version is there still"
    # The configuration is the administrator's.
    grep -q /srv/secret "$REQUIREMENTS" || fail "the configuration was replaced"
    wait_for 20 '[[ $(ls /srv/up/*.status 2>/dev/null | wc -l) == $JOBS ]]'
    sleep 1
    touch /srv/up/stop
    wait
    [[ $(cat /srv/up/*.status | sort | uniq -c | xargs) == "$JOBS 125" ]] ||
        fail "not all ended 125: $(cat /srv/up/*.status | sort | uniq -c)"
    reasons=$(cat /srv/up/*.err | grep '^cordon: ' | sort | uniq -c)
    for err in /srv/up/*.err; do
        grep -q '^cordon: the broker closed the connection' "$err" || fail "$err: $(cat "$err")"
    done
    ! grep -rl SECRET /srv/up || fail "a job read what is denied"
    grep -q 'Permission denied' /srv/up/*.out || fail "no job tried"
    # Those that were started meanwhile: denied, or refused with the reason.
    ! cat /srv/up/short.* | grep -vE '^(denied 1|refused 125 cordon: .*)$' || fail "a job in between"
    for user in alice bob; do
        [[ $(tail -n 1 "/srv/up/short.$user") == 'denied 1' ]] || fail "$user: no job after it"
    done
    [[ -z $(processes | grep up-loop) ]] || fail "left: $(processes | grep up-loop)"
    denied job alice -- cat /srv/secret/file
    echo "$reasons"
    echo "figure: $JOBS jobs ended 125; of others $(cat /srv/up/short.* | grep -c denied) held," \
        "$(cat /srv/up/short.* | grep -c refused) were refused"
    rm -r /srv/up
}

# What the administrator switched off stays off, and no client runs a job of its own instead.
case_disabled() {
    systemctl disable --now cordond.socket
    systemctl stop cordond.service
    apt_get install --reinstall /srv/test/new.deb
    [[ $(systemctl is-enabled cordond.socket) == disabled ]] || fail "enabled again"
    [[ $(systemctl is-active cordond.socket) == inactive ]] || fail "started again"
    expect 125 job alice -- true
    [[ $OUT == *'systemctl start cordond.socket'* ]] || fail "no remedy: $OUT"
    systemctl enable --now cordond.socket
    expect 0 job alice -- true
}
