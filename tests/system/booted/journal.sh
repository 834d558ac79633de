# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Records, read back from the journal by their fields.

# The number of the newest job of USER.
newest_job() {
    journalctl --sync
    journalctl --quiet --boot --output=json _SYSTEMD_UNIT=cordond.service \
        "MESSAGE_ID=$(message_id start)" CORDON_UID="$(id -u "$1")" | tail -n 1 |
        sed -n 's/.*"CORDON_JOB":"\([0-9]*\)".*/\1/p'
}

# one MATCH...: exactly one entry.
one() {
    local count
    count=$(entries "$@")
    ((count == 1)) || fail "$count entries, not one: $*
$(journalctl --quiet --boot -o json -n 4 _SYSTEMD_UNIT=cordond.service)"
}

# late USER NAME COMMAND: a file of this name appears, denied, while the user's job, AS_LATE before
# COMMAND, waits for it; what was there when the job began may be hidden from it, and no access to
# that is decided.
AS_LATE='echo ready; until [ -e /srv/late/go ]; do sleep 0.02; done'
late() {
    local user=$1 name=$2 command=$3 waits
    mkdir -p /srv/late
    job "$user" -- sh -c "$AS_LATE; $command" \
        >/srv/late/out 2>&1 &
    waits=$!
    wait_for 20 'grep -qx ready /srv/late/out'
    echo SECRET >"/srv/late/$name"
    touch /srv/late/go
    STATUS=0
    wait "$waits" || STATUS=$?
    ! grep SECRET /srv/late/out || fail "read what is denied"
    rm -r /srv/late
}

case_journal() {
    local id refused
    refused=$(entries "MESSAGE_ID=$(message_id refused)" CORDON_UID="$(id -u bob)")
    late bob x.pem 'cat /srv/late/x.pem; exit 3'
    ((STATUS == 3)) || fail "status $STATUS"
    id=$(newest_job bob)
    [[ -n $id ]] || fail "no start record"
    one "MESSAGE_ID=$(message_id start)" CORDON_EVENT=start CORDON_JOB="$id" CORDON_UID="$(id -u bob)" \
        "CORDON_COMMAND=sh -c $AS_LATE; cat /srv/late/x.pem; exit 3"
    one "MESSAGE_ID=$(message_id violation)" CORDON_JOB="$id" CORDON_UID="$(id -u bob)" \
        CORDON_PATH=/srv/late/x.pem CORDON_ORIGIN="$REQUIREMENTS:3" CORDON_OPERATION=open \
        CORDON_BY=cat
    one "MESSAGE_ID=$(message_id end)" CORDON_JOB="$id" CORDON_OUTCOME=exited CORDON_CODE=3 \
        CORDON_DENIED=1
    expect 125 job bob -s danger-full-access -- true
    [[ $(entries "MESSAGE_ID=$(message_id refused)" CORDON_UID="$(id -u bob)") -gt $refused ]] ||
        fail "no record of a refusal"
    # The one generation that the job had is in each of its records.
    [[ $(journalctl --quiet --boot -o json _SYSTEMD_UNIT=cordond.service CORDON_JOB="$id" |
        sed 's/.*"CORDON_GENERATION":"\([0-9]*\)".*/\1/' | sort -u | wc -l) == 1 ]] ||
        fail "records of one job differ in their generation"
}

# LG-01: a name and a command that would be fields of their own, and more.
case_injection() {
    local name id escaped
    name=$'a\nCORDON_UID=0\nMESSAGE=forged\x1b[31m\xff\\.pem'
    escaped='a\nCORDON_UID=0\nMESSAGE=forged\x1b[31m\xff\\.pem'
    late alice "$name" 'cat /srv/late/*.pem'
    id=$(newest_job alice)
    one "MESSAGE_ID=$(message_id violation)" CORDON_JOB="$id" CORDON_UID="$(id -u alice)" \
        "CORDON_PATH=/srv/late/$escaped"
    printf '%s' "$name" >/srv/test/name
    expect 0 login alice bash -c 'cordon sandbox linux -- true "`cat /srv/test/name`"'
    one "MESSAGE_ID=$(message_id start)" "CORDON_COMMAND=true $escaped"
    [[ $(entries CORDON_UID=0) == 0 && $(entries MESSAGE=forged) == 0 ]] || fail "forged"
    [[ $(journalctl --boot -o export _SYSTEMD_UNIT=cordond.service | grep -c $'\x1b') == 0 ]] ||
        fail "an escape sequence is in the journal"
}

# A broken update: the last good one stays in force, and root is told.
case_alarm() {
    local good
    good=$(cat "$REQUIREMENTS")
    require 'deny_raed = ["/"]'
    denied job alice -- cat /srv/secret/file
    expect 0 job alice -- cat /srv/plain
    [[ $(entries "MESSAGE_ID=$(message_id alarm)" PRIORITY=3) -ge 1 ]] || fail "no alarm"
    chmod 666 "$REQUIREMENTS"
    require "$good"
    denied job alice -- cat /srv/secret/file
}
