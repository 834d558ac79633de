#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fleet.sh [--brokers N]: brokers in network and mount namespaces of their own, one etcd cluster of
# three members. A tightened requirement is with all of them within 2 s of its write and holds for
# the next job on each; a member dies, the cluster, a network; what is signed badly, or old, or gone
# leaves the last good requirements in force, with an alarm.
set -u
# A network of its own, with a bridge between the cluster and the brokers.
[ -n "${FLEET_NET:-}" ] || [ "$(id -u)" != 0 ] || FLEET_NET=1 exec unshare --net "$BASH" "$0" "$@"
. "$(dirname "$0")/../support/service.sh"
. "$(dirname "$0")/../support/fetch.sh"
export FLEET_NET
harness_enter "$@"
fetch_enter

BROKERS=3
# A watch of 5 s, three members that time out after 2 s each, a back-off.
TIMES_OUT_S=30
[ "${1:-}" = --brokers ] && BROKERS=$2
SECRET=the-content-nobody-may-see
KEY=/cordon/requirements
HUB=10.77.0.1
BAR_MS=2000
WORST_MS=0
MEMBERS=()
NAMESPACES=()

now_ms()
{
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# ---- the cluster ----

start_member()
{
    local i=$1 peer=http://127.0.0.1:$((2390 + $1)) client=https://$HUB:$((2380 + $1))

    etcd --name "m$i" --data-dir "$TOP/etcd-$i" --listen-peer-urls "$peer" \
        --initial-advertise-peer-urls "$peer" --listen-client-urls "$client" \
        --advertise-client-urls "$client" --initial-cluster-token fleet --initial-cluster-state new \
        --initial-cluster m1=http://127.0.0.1:2391,m2=http://127.0.0.1:2392,m3=http://127.0.0.1:2393 \
        --cert-file "$TOP/tls/etcd.pem" --key-file "$TOP/tls/etcd.key" \
        --client-cert-auth --trusted-ca-file "$TOP/tls/ca.pem" >>"$TOP/etcd-$i.log" 2>&1 &
    MEMBERS[i]=$!
}

kill_member()
{
    kill -KILL "${MEMBERS[$1]}" && wait "${MEMBERS[$1]}" 2>/dev/null
}

ctl()
{
    ETCDCTL_API=3 etcdctl --cacert "$TOP/tls/ca.pem" --cert "$TOP/tls/client.pem" \
        --key "$TOP/tls/client.key" --command-timeout 10s \
        --endpoints https://$HUB:2381,https://$HUB:2382,https://$HUB:2383 "$@" \
        >>"$TOP/ctl.log" 2>&1
}

# ---- a broker ----

# Its life: files of its own, the service, and cordon-fetch as that user.
broker_main()
{
    mount -t tmpfs -o mode=755 broker /run && mount -t tmpfs -o mode=755 broker /etc/cordon &&
        mount -t tmpfs -o mode=755 broker /var/lib || exit 1
    fetch_spool
    cp "$TOP/tls/ca.pem" "$TOP/tls/client.pem" "$TOP/tls/client.key" "$TOP/fetch.toml" /etc/cordon/
    chown cordon-fetch /etc/cordon/client.key
    "$CORDOND" >"$TOP/service-$1.log" 2>&1 &
    # Its network is made by then.
    while [ ! -e "$TOP/connected-$1" ]; do
        sleep 0.05
    done
    exec "${AS_FETCH[@]}" "$CORDON_BUILD/fetch/cordon-fetch" >>"$TOP/fetch-$1.log" 2>&1
}

start_broker()
{
    local i=$1

    export TOP CORDOND CORDON_BUILD
    unshare --net --mount --propagation private "$BASH" -c \
        "$(declare -f broker_main fetch_spool); $(declare -p AS_FETCH); broker_main $i" &
    NAMESPACES[i]=$!
    wait_for "! [ /proc/$!/ns/net -ef /proc/self/ns/net ]"
    ip link add "fleet$i" type veth peer name up0 netns "${NAMESPACES[i]}" &&
        ip link set "fleet$i" master fleet up || fail "no network for broker $i"
    nsenter -t "${NAMESPACES[i]}" -n ip addr add "10.77.0.$((10 + i))/24" dev up0
    nsenter -t "${NAMESPACES[i]}" -n ip link set up0 up
    : >"$TOP/connected-$i"
    wait_for "[ -S /proc/${NAMESPACES[i]}/root/run/cordon/cordond.sock ]"
}

each()
{
    seq 1 "$BROKERS"
}

# on BROKER CMD...: as cordon-a on that host.
on()
{
    local i=$1

    shift
    run nsenter -t "${NAMESPACES[i]}" -m -n -- "${AS_A[@]}" timeout -k 1 20 "$@"
}

denied()
{
    local i=$1 name

    shift
    for name in "$@"; do
        on "$i" "$CORDON" sandbox linux -C "$WS_A" -- cat "$WS_A/$name"
        expect_denied "$SECRET" "broker $i: $name"
    done
}

readable()
{
    on "$1" "$CORDON" sandbox linux -C "$WS_A" -- cat "$WS_A/$2"
    expect_ok "broker $1: $2"
}

# The generation in a broker's spool, without a process that would take longer to start.
generation_of()
{
    local word number

    { read -r _ && read -r _ && read -r word number; } 2>/dev/null \
        <"/proc/${NAMESPACES[$1]}/root/var/lib/cordon/fetch/requirements.signed"
    [ "${word:-}" = generation ] && GENERATION=$number || GENERATION=0
}

# tightened GENERATION WHAT BROKERS -- NAME...: written, with all in time, in force for the next job.
tightened()
{
    local generation=$1 what=$2 began took i waits
    local -a brokers

    read -ra brokers <<<"$3"
    shift 4
    sign "$generation" "${@/#/$WS_A/}" >"$TOP/document"
    # While a cluster elects a leader it takes no write, or lets it wait: what counts begins once it does.
    for ((waits = 0; ; waits++)); do
        ctl put /cordon/probe <<<"$generation" && began=$(now_ms) && ctl put "$KEY" <"$TOP/document" && break
        [ "$waits" -lt 10 ] || fail "$what: not taken: $(tail -n 1 "$TOP/ctl.log")"
    done
    for i in "${brokers[@]}"; do
        for ((waits = 0; waits < 1000; waits++)); do
            generation_of "$i"
            [ "$GENERATION" = "$generation" ] && break
            sleep 0.01
        done
        [ "$GENERATION" = "$generation" ] ||
            fail "$what: broker $i has $GENERATION: $(tail -n 2 "$TOP/fetch-$i.log" | tr '\n' ' ')"
    done
    took=$(($(now_ms) - began))
    for i in "${brokers[@]}"; do
        denied "$i" "$@"
        readable "$i" free
    done
    echo "$what: with ${#brokers[@]} brokers $took ms after the start of the write, held for the next job on each"
    [ "$took" -lt "$BAR_MS" ] || fail "$what: took $took ms"
    [ "$took" -le "$WORST_MS" ] || WORST_MS=$took
}

# last_good WHAT REGEX -- NAME...: an alarm on every broker, and these stay denied.
last_good()
{
    local what=$1 regex=$2 i

    shift 3
    for i in $(each); do
        wait_for "log_has fetch-$i '$regex'" "$TIMES_OUT_S"
        denied "$i" "$@"
        readable "$i" free
        on "$i" "$CORDON" doctor
        expect_out "bad   alarm" "$what: doctor of broker $i"
        : >"$TOP/fetch-$i.log"
    done
    echo "$what: alarm on $BROKERS brokers, the last good requirements in force"
}

# Every broker is told that all is well again.
healed()
{
    local i

    for i in $(each); do
        wait_for "log_has fetch-$i 'alarm is over'" "$TIMES_OUT_S"
        : >"$TOP/fetch-$i.log"
    done
}

for name in a b c d e f free; do
    echo "$SECRET" >"$WS_A/$name"
done
AS_A=(setpriv --reuid=cordon-a --regid=cordon-a --init-groups env -i "HOME=$HOME_A" USER=cordon-a
    PATH=/usr/bin:/bin)
ip link set lo up && ip link add fleet type bridge && ip addr add 10.77.0.1/24 dev fleet &&
    ip link set fleet up || fail "no network"
make_signer
make_ca ca
make_cert ca etcd 10.77.0.1 127.0.0.1
make_cert ca client 127.0.0.1
cat >"$TOP/fetch.toml" <<TOML
public_keys = ["$PUBLIC_KEY"]
ca_file = "/etc/cordon/ca.pem"
client_cert = "/etc/cordon/client.pem"
client_key = "/etc/cordon/client.key"
interval_s = 5
timeout_s = 2
[etcd]
key = "$KEY"
endpoints = ["https://$HUB:2381", "https://$HUB:2382", "https://$HUB:2383"]
TOML
for i in 1 2 3; do
    start_member "$i"
done
wait_for 'ctl endpoint health'
for i in $(each); do
    start_broker "$i"
done
ALL=$(each | tr '\n' ' ')

for i in $(each); do
    on "$i" "$CORDON" sandbox linux -C "$WS_A" -- true
    expect_refused 'no verified document yet'
    # A bridge takes a while to forward.
    wait_for "log_has fetch-$i 'there is no such key in the cluster'"
done
tightened 1 "the first document" "$ALL" -- a
sleep 1.1 # a watch that lasted
tightened 2 "a tightened one" "$ALL" -- a b

kill_member 1
tightened 3 "a member killed" "$ALL" -- a b c
start_member 1
kill_member 2
tightened 4 "another one, the first one back" "$ALL" -- a b c d
start_member 2
wait_for 'ctl endpoint health'

for i in $(each); do
    : >"$TOP/fetch-$i.log"
done
sign 5 "$WS_A/free" | sed 's/ws.free/ws\/fere/' >"$TOP/document"
ctl put "$KEY" <"$TOP/document"
last_good "a bad signature" 'signature of key [0-9a-f]* does not fit' -- a b c d
sign 3 "$WS_A/free" >"$TOP/document"
ctl put "$KEY" <"$TOP/document"
last_good "an older generation" 'generation 3 is older than 4' -- a b c d
ctl del "$KEY"
last_good "the key removed" 'there is no such key' -- a b c d
tightened 5 "a good one after them" "$ALL" -- a b c d e
healed

nsenter -t "${NAMESPACES[1]}" -n ip link set up0 down
wait_for "log_has fetch-1 'alarm, .*(Timeout was reached|connect to server)'" "$TIMES_OUT_S"
tightened 6 "one network cut, the others" "$(each | tail -n +2 | tr '\n' ' ')" -- a b c d e f
denied 1 a b c d e
readable 1 f
on 1 "$CORDON" doctor
expect_out "bad   alarm" "doctor of the broker that was cut off"
nsenter -t "${NAMESPACES[1]}" -n ip link set up0 up
wait_for 'generation_of 1; [ "$GENERATION" = 6 ]' "$TIMES_OUT_S"
denied 1 a b c d e f
echo "a cut network: the last good requirements, and the newest once it is back"

: >"$TOP/fetch-1.log"
kill_member 2
kill_member 3
last_good "no quorum" 'alarm, .*(Timeout was reached|connect to server|HTTP 50)' -- a b c d e f
start_member 2
start_member 3
healed
tightened 7 "the cluster is back" "$ALL" -- a b c d e

# Broker 1 watches for longer than this test lasts, and is told to look elsewhere.
toml=/proc/${NAMESPACES[1]}/root/etc/cordon/fetch.toml
sed -i 's/^interval_s = 5/interval_s = 600/' "$toml"
sleep 6.5 # until it is read
sed -i "s|^key = .*|key = \"$KEY-2\"|" "$toml"
sign 8 "$WS_A/a" >"$TOP/document"
ctl put "$KEY-2" <"$TOP/document"
sleep 2
generation_of 1
[ "$GENERATION" = 7 ] || fail "broker 1 does not watch for long: it has $GENERATION"
kill -HUP "${NAMESPACES[1]}"
wait_for 'generation_of 1; [ "$GENERATION" = 8 ]'
denied 1 a
readable 1 b
echo "SIGHUP: a watch ends, the configuration is read again"

# It stays connected to a member that has lost the others, and is told so by that member.
sed -i "s|^endpoints = .*|endpoints = [\"https://$HUB:2381\"]|" "$toml"
kill -HUP "${NAMESPACES[1]}"
sleep 2
: >"$TOP/fetch-1.log"
kill_member 2
kill_member 3
wait_for "log_has fetch-1 'the watch at .*:2381 broke off'" 15
echo "a member without a leader: its watch ends"

echo "figure: at most $WORST_MS ms from a write to $BROKERS brokers"
