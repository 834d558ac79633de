#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Requirements from an HTTPS server: what it signs holds for the next job; whatever else it or the
# network does leaves the last good ones in force, with an alarm.
set -u
# A network of its own: the ports that it listens at are nobody else's.
[ -n "${FETCH_NET:-}" ] || [ "$(id -u)" != 0 ] || FETCH_NET=1 exec unshare --net "$BASH" "$0" "$@"
export FETCH_NET
. "$(dirname "$0")/../support/service.sh"
. "$(dirname "$0")/../support/fetch.sh"
harness_enter "$@"
fetch_enter

SECRET=the-content-nobody-may-see
PORT=8443
WEB=$TOP/web
SERVER_PID=
TROUBLES=0

start_server()
{
    python3 "$CORDON_SOURCE/tests/support/https_server.py" "$PORT" "$TOP/tls/$1.pem" \
        "$TOP/tls/$1.key" "$WEB" 2>>"$TOP/server.log" &
    SERVER_PID=$!
}

stop_server()
{
    kill -KILL "$SERVER_PID" && wait "$SERVER_PID" 2>/dev/null
}

# fetch_toml [LINE]...
fetch_toml()
{
    printf '%s\n' "url = \"https://127.0.0.1:$PORT/requirements\"" \
        "public_keys = [\"$PUBLIC_KEY\"]" "ca_file = \"/etc/cordon/ca.pem\"" "interval_s = 1" \
        "timeout_s = 2" "$@" >/etc/cordon/fetch.toml
}

serve()
{
    cat >"$WEB/document.new" && mv "$WEB/document.new" "$WEB/document"
}

# denied NAME...: a job of each kind cannot read these; readable NAME...: it can.
denied()
{
    local name

    for name in "$@"; do
        job cordon-a -- cat "$WS_A/$name"
        expect_denied "$SECRET" "$name"
    done
}

readable()
{
    local name

    for name in "$@"; do
        job cordon-a -- cat "$WS_A/$name"
        expect_ok "$name"
    done
}

refused()
{
    job cordon-a -- true
    expect_refused "$1"
}

# last_good REGEX: what happens now raises an alarm that matches, and nothing changes.
last_good()
{
    local regex=$1

    TROUBLES=$((TROUBLES + 1))
    # After some failures in a row cordon-fetch waits for up to 8 s.
    wait_for "log_has fetch '$regex'" 30
    denied a b
    readable c
    doctor_has "bad +alarm .*($regex)"
}

healed()
{
    : >"$TOP/fetch.log"
    echo ok >"$WEB/mode"
    sign "$1" "$WS_A/a" "$WS_A/b" | serve
    wait_for "log_has fetch 'generation $1 from'" 30
    denied a b
    readable c
    ! "$CORDON" doctor | grep -q 'bad  *alarm' || fail "an alarm that is over is still told"
    : >"$TOP/fetch.log"
}

ip link set lo up
for name in a b c; do
    echo "$SECRET" >"$WS_A/$name"
done
mkdir "$WEB"
echo ok >"$WEB/mode"
: >"$WEB/log"
make_signer
make_ca ca
make_cert ca server 127.0.0.1
make_ca stranger
make_cert stranger impostor 127.0.0.1
cp "$TOP/tls/ca.pem" /etc/cordon/ca.pem
start_service

echo "-- before the first document"
readable a
fetch_toml
refused 'no verified document yet; start cordon-fetch'
doctor_has 'bad +document +there is no verified document yet'
fetch_toml 'before_first = "allow"'
readable a
fetch_toml
refused 'no verified document yet'
run "$CORDON_BUILD/fetch/cordon-fetch" --once
expect_rc 1 "as root"
expect_err 'must not run as root'

echo "-- signing"
printf '[permissions.filesystem]\ndeny_read = ["/srv/x"]\n' >"$TOP/r.toml"
chmod 640 "$TOP/signer"
run "$CORDON" policy sign "$TOP/r.toml" --key "$TOP/signer" --generation 1
expect_rc 1 "a key that others read"
expect_err 'others may read or replace this private key; .*chmod 600'
chmod 600 "$TOP/signer"
run "$CORDON" policy sign "$TOP/r.toml" --key "$TOP/signer"
expect_rc 2 "no generation"
earliest=$(($(date +%s) + 86400))
run "$CORDON" policy sign "$TOP/r.toml" --key "$TOP/signer" --generation 1 --valid-days 1
latest=$(($(date +%s) + 86400))
expect_ok sign
printf '%s\n' "$OUT" >"$TOP/r.signed"
run "$CORDON" policy verify "$TOP/r.signed"
expect_out "generation 1, not after " "by fetch.toml"
end=$(grep -o 'not after [0-9]*' <<<"$OUT" | cut -d ' ' -f 3)
[ "$end" -ge "$earliest" ] && [ "$end" -le "$latest" ] ||
    fail "valid until $end, not a day: $earliest to $latest"
run "$CORDON" policy verify "$TOP/r.signed" --public-key "${PUBLIC_KEY:1}${PUBLIC_KEY:0:1}"
expect_rc 1 "by another key"
for text in 'deny_raed = ["/srv/x"]' 'deny_read = ["relative"]'; do
    printf '[permissions.filesystem]\n%s\n' "$text" >"$TOP/r.toml"
    run "$CORDON" policy sign "$TOP/r.toml" --key "$TOP/signer" --generation 1
    expect_rc 1 "$text"
    expect_err 'r.toml:2:'
done
run "$CORDON" policy keygen "$TOP/signer"
expect_rc 1 "a key that is there"

echo "-- the first document, the next one"
sign 1 "$WS_A/a" | serve
start_server server
start_fetch
wait_for "log_has fetch 'generation 1 from'"
denied a
readable b
sign 2 "$WS_A/a" "$WS_A/b" | serve
wait_for "log_has fetch 'generation 2 from'"
denied a b
readable c
run "$CORDON" policy show
expect_out "fetch:https://127.0.0.1:$PORT/requirements#2"
doctor_has 'ok +document +generation 2, confirmed 20'

echo "-- unchanged: 304, and confirmed"
touch -d '1 hour ago' /var/lib/cordon/fetch/confirmed
: >"$WEB/log"
wait_for "grep -qx 304 '$WEB/log'"
! grep -qx 200 "$WEB/log" || fail "fetched again: $(sort "$WEB/log" | uniq -c)"
wait_for '[ $(($(date +%s) - $(stat -c %Y /var/lib/cordon/fetch/confirmed))) -lt 60 ]'

echo "-- a signature that does not fit"
: >"$TOP/fetch.log"
sign 3 "$WS_A/c" | sed 's/deny_read/deny_raed/' | serve
last_good 'signature of key [0-9a-f]* does not fit'
sign 3 "$WS_A/c" | sed '1s/[0-9a-f]$/x/' | serve
last_good 'header is malformed'
healed 4

echo "-- an older generation; another document of the same one"
sign 3 "$WS_A/c" | serve
last_good 'generation 3 is older than 4'
sign 4 "$WS_A/c" | serve
last_good 'generation 4 was something else'
healed 5

echo "-- a key of somebody else"
mv "$TOP/signer" "$TOP/ours"
"$CORDON" policy keygen "$TOP/signer" >/dev/null
sign 6 "$WS_A/c" | serve
last_good 'key [0-9a-f]* is none of ours'
mv "$TOP/ours" "$TOP/signer"
healed 6

echo "-- cut short, endless, out of order"
sign 7 "$WS_A/c" | serve
for mode in truncate oversize error; do
    echo "$mode" >"$WEB/mode"
    case $mode in
    truncate) last_good 'transfer closed|bytes remaining' ;;
    oversize) last_good 'more than 1048576 bytes' ;;
    error) last_good 'HTTP 500' ;;
    esac
done
healed 8

echo "-- an impostor, no server, restarts without one"
stop_server
start_server impostor
last_good 'SSL certificate problem|certificate'
: >"$TOP/fetch.log"
stop_server
wait_for "log_has fetch 'refused|connect'" 30
denied a b
stop_fetch
restart_service
denied a b
readable c
: >"$TOP/fetch.log"
start_fetch
last_good 'refused|connect'
start_server server
wait_for "log_has fetch 'the alarm is over'" 30
denied a b

echo "-- cordon-fetch taken over: it can forge nothing and turn nothing back"
stop_fetch
spool=/var/lib/cordon/fetch/requirements.signed
cp "$spool" "$TOP/newest"
sign 1 "$WS_A/c" >"$TOP/old"
sed 's/ws\/b/ws\/c/' "$spool" >"$TOP/forged"
chmod 644 "$TOP/old" "$TOP/forged"
for name in old forged; do
    as_fetch cp "$TOP/$name" "$spool"
    denied a b
    readable c
    wait_for "log_has service 'is older than 8|does not fit'"
done
as_fetch ln -sf /etc/cordon/requirements.toml "$spool"
denied a b
as_fetch rm -f "$spool"
as_fetch mkfifo "$spool"
denied a b
doctor_has 'bad +spool .*not a regular file'
restart_service
denied a b
# Another file system could be one that never answers: it is not looked at.
mount -t tmpfs cordon-spool /var/lib/cordon/fetch
sign 20 "$WS_A/c" >"$spool"
denied a b
readable c
doctor_has 'bad +spool .*cross-device'
umount /var/lib/cordon/fetch
! as_fetch touch /var/lib/cordon/x 2>/dev/null || fail "cordon-fetch writes outside of its spool"
as_fetch rm -f "$spool"

echo "-- too old"
as_fetch cp "$TOP/newest" "$spool"
fetch_toml 'max_age_s = 5' 'when_stale = "refuse"'
touch -d '1 hour ago' /var/lib/cordon/fetch/confirmed
STALE='fetched requirements: not confirmed for more than 5 s'
: >"$TOP/service.log"
refused 'not confirmed for more than 5 s \(max_age_s\)'
doctor_has 'bad +age'
wait_for "log_has service 'every job is refused: $STALE'"
run "$CORDON" reload
expect_rc 1 "reload while every job is refused"
expect_err "1 file, every job is refused: $STALE"
# What came of it is told again when that alone has changed, both ways.
: >"$TOP/service.log"
fetch_toml 'max_age_s = 5'
denied a b
wait_for "log_has service 'the last good requirements stay in force: $STALE'"
run "$CORDON" reload
expect_ok "reload with a document in force that is too old"
expect_out "1 file; warning: $STALE"
run "$CORDON" reload --json
expect_out '"error":null,"warning":{"text":"'
/usr/bin/python3 "$CORDON_SOURCE/tests/schema/validate.py" reload <<<"$OUT" 2>&1 ||
    fail "reload --json with a warning does not fit its schema"
run "$CORDON" status
expect_out "1 file; warning: $STALE"
: >"$TOP/service.log"
fetch_toml 'max_age_s = 5' 'when_stale = "refuse"'
refused 'not confirmed for more than 5 s'
wait_for "log_has service 'every job is refused: $STALE'"
fetch_toml 'max_age_s = 5'
start_fetch
healed 9
fetch_toml 'max_age_s = 5' 'when_stale = "refuse"'
denied a b

echo "-- the private broker honours it too; files of this host add up"
run as_user cordon-a "$CORDON" sandbox linux --embedded -- cat "$WS_A/a"
expect_denied "$SECRET" embedded
printf '[permissions.filesystem]\ndeny_read = ["%s/c"]\n' "$WS_A" >/etc/cordon/requirements.toml
denied a b c

stop_fetch
stop_server
echo "figure: last good kept through $TROUBLES kinds of trouble"
