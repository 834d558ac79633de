# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the cases share.

REQUIREMENTS=/etc/cordon/requirements.toml

fail() {
    printf '%s\n' "$*"
    exit 1
}

# login USER COMMAND...: a login session of its own by PAM, as at a console.
login() {
    local user=$1
    shift
    systemd-run --quiet --pipe --wait --collect --uid="$user" -p PAMName=login \
        -p 'WorkingDirectory=~' --setenv=LANG=C.UTF-8 -- "$@" </dev/null
}

# job USER [OPTION...] -- COMMAND...: a sandboxed command of a user who logs in for it.
job() {
    local user=$1
    shift
    login "$user" cordon sandbox linux "$@"
}

# expect STATUS COMMAND...: its output and errors are in $OUT.
expect() {
    local want=$1 status=0
    shift
    OUT=$("$@" 2>&1) || status=$?
    ((status == want)) || fail "status $status, not $want, of: $* -- $OUT"
}

# denied COMMAND...: it fails, and not one byte of a secret shows.
denied() {
    local status=0
    OUT=$("$@" 2>&1) || status=$?
    ((status != 0)) && [[ $OUT != *SECRET* ]] || fail "not denied: $* -- $OUT"
}

# require TEXT: the managed file is replaced as a whole.
require() {
    printf '%s\n' "$1" >"$REQUIREMENTS.new"
    mv "$REQUIREMENTS.new" "$REQUIREMENTS"
}

# entries MATCH...: how many entries of the service's journal match, as JSON lines.
entries() {
    journalctl --sync
    journalctl --quiet --boot --output=json _UID=0 _SYSTEMD_UNIT=cordond.service "$@" | grep -c '^{' ||
        true
}

# wait_for SECONDS CONDITION
wait_for() {
    local i
    for ((i = 0; i < $1 * 20; i++)); do
        eval "$2" && return 0
        sleep 0.05
    done
    fail "not in $1 s: $2"
}

# message_id WORD: as cordond(8) says.
message_id() {
    zcat /usr/share/man/man8/cordond.8.gz | grep -B1 "^$1: " |
        sed -n 's/^\.It Li \([0-9a-f]\{32\}\)$/\1/p'
}
