# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Network off: nothing leaves the job, everything works inside it.
CASES=(
    nw_01_every_address_family:se nw_02_host_services:se nw_08_private_sockets_work:se
    nw_09_host_datagram_socket:se)

nw_01_every_address_family()
{
    local mode

    for mode in read-only workspace-write; do
        job cordon-a -s "$mode" -- "$PROBES/probe_sock" families
        expect_ok "$mode"
    done
    DIR=/usr job root -- "$PROBES/probe_sock" families
    expect_ok "root's job"
    job cordon-a -- cat /proc/net/dev # only lo; /sys shows the host's names, which is no way out
    [[ $OUT != *eth* ]] || fail "a host interface shows: $OUT"
    job cordon-a -- getent hosts example.com
    [ "$RC" != 0 ] || fail "a name resolved: $OUT"
}

# Host services of every kind that the job must not reach; they echo what they get.
nw_services()
{
    /usr/bin/python3 - "$WS_A" "$TOP/nw" >"$TOP/nw.out" 2>&1 <<'PY' &
import os, select, socket, sys

workspace, folder = sys.argv[1:]
servers = []


def serve(family, kind, address, name):
    server = socket.socket(family, kind)
    server.bind(address)
    if kind != socket.SOCK_DGRAM:
        server.listen(8)
    servers.append((server, kind))
    with open(f"{folder}/{name}", "w") as note:
        note.write(str(server.getsockname()[1] if family in (2, 10) else address))


def own_address():
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.connect(("198.51.100.7", 9))
    return probe.getsockname()[0]


os.umask(0)
serve(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0), "tcp4")
serve(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0), "udp4")
try:
    serve(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0), "tcp6")
except OSError:
    pass
try:
    with open(f"{folder}/own", "w") as note:
        note.write(own_address())
except OSError:
    os.unlink(f"{folder}/own")
for place, tag in ((workspace, "ws"), (folder, "top")):
    serve(socket.AF_UNIX, socket.SOCK_STREAM, f"{place}/stream.sock", f"{tag}-stream")
    serve(socket.AF_UNIX, socket.SOCK_DGRAM, f"{place}/dgram.sock", f"{tag}-dgram")
serve(socket.AF_UNIX, socket.SOCK_STREAM, "\0cordon-nw-" + os.environ["CORDON_TEST_UID"] + folder, "abstract")
serve(socket.AF_UNIX, socket.SOCK_DGRAM, "\0cordon-nwd-" + os.environ["CORDON_TEST_UID"] + folder, "abstract-d")
open(f"{folder}/ready", "w").close()
while True:
    for server in select.select([s for s, _ in servers], [], [])[0]:
        kind = dict(servers)[server]
        with open(f"{folder}/hits", "a") as hits:
            hits.write(f"{server.getsockname()}\n")
        if kind == socket.SOCK_DGRAM:
            data, peer = server.recvfrom(64)
            if peer and isinstance(peer, tuple):
                server.sendto(data, peer)
        else:
            server.accept()[0].close()
PY
    NW_PID=$!
    wait_for "[ -e '$TOP/nw/ready' ]"
}

nw_begin()
{
    rm -rf "$TOP/nw"
    install -d -m 777 "$TOP/nw"
    nw_services
}

nw_end()
{
    kill -KILL "$NW_PID"
    wait "$NW_PID" 2>/dev/null
    rm -rf "$TOP/nw" "$TOP/nw.out" "$WS_A"/*.sock
}

# After a control, which may be told late: by others, who know of none.
nw_again()
{
    nw_end
    nw_begin
}

nw_02_host_services()
{
    local address port

    nw_begin
    run as_user cordon-a "$PROBES/probe_sock" inet 127.0.0.1 "$(cat "$TOP/nw/tcp4")"
    expect_rc 1 "the control, outside"
    nw_again
    port=$(cat "$TOP/nw/tcp4")
    for address in 127.0.0.1 127.1.2.3 0.0.0.0 169.254.169.254 ::ffff:127.0.0.1 \
        $(cat "$TOP/nw/own" 2>/dev/null) $(hostname -I 2>/dev/null); do
        job cordon-a -s workspace-write -- "$PROBES/probe_sock" inet "$address" "$port"
        expect_ok "$address"
        job cordon-a -s workspace-write -- "$PROBES/probe_sock" inet "$address" \
            "$(cat "$TOP/nw/udp4")"
        expect_ok "$address, UDP"
    done
    if [ -e "$TOP/nw/tcp6" ]; then
        job cordon-a -- "$PROBES/probe_sock" inet ::1 "$(cat "$TOP/nw/tcp6")"
        expect_ok "::1"
    fi
    [ ! -e "$TOP/nw/hits" ] || fail "a host service was reached: $(cat "$TOP/nw/hits")"
    nw_end
}

nw_09_host_datagram_socket()
{
    local place abstract mode

    nw_begin
    abstract=cordon-nw-$CORDON_TEST_UID$TOP/nw
    run as_user cordon-a "$PROBES/probe_sock" dgram "$WS_A/dgram.sock"
    expect_rc 1 "the control, outside"
    run as_user cordon-a "$PROBES/probe_sock" abstract "$abstract"
    expect_rc 1 "the abstract control, outside"
    nw_again
    for mode in read-only workspace-write; do
        for place in "$WS_A" "$TOP/nw"; do
            for kind in dgram fds; do
                job cordon-a -s "$mode" -- "$PROBES/probe_sock" "$kind" "$place/dgram.sock"
                expect_ok "$mode $kind $place"
            done
            job cordon-a -s "$mode" -- "$PROBES/probe_sock" stream "$place/stream.sock"
            expect_ok "$mode stream $place"
        done
        job cordon-a -s "$mode" -- "$PROBES/probe_sock" abstract "$abstract"
        expect_ok "$mode abstract"
        job cordon-a -s "$mode" -- "$PROBES/probe_sock" abstract-dgram "cordon-nwd-$CORDON_TEST_UID$TOP/nw"
        expect_ok "$mode abstract datagram"
    done
    # Under another name, made by the job.
    job cordon-a -s workspace-write -- sh -c \
        "ln dgram.sock hard; ln -s dgram.sock soft; mv dgram.sock moved; for s in hard soft moved; do
         [ -e \$s ] && { '$PROBES/probe_sock' dgram \$s || exit 1; }; done; true"
    expect_ok "other names"
    [ ! -e "$TOP/nw/hits" ] || fail "a host service was reached: $(cat "$TOP/nw/hits")"
    nw_end
    rm -f "$WS_A/hard" "$WS_A/soft" "$WS_A/moved"
}

nw_08_private_sockets_work()
{
    job cordon-a -s workspace-write -- "$PROBES/probe_sock" private
    expect_ok "the probe"
    job cordon-a -s workspace-write -- /usr/bin/python3 "$HERE/probes/asyncio_work.py"
    expect_ok "Python asyncio"
    expect_out "asyncio works"
    if command -v node >/dev/null; then
        job cordon-a -s workspace-write -- node "$HERE/probes/node_work.js"
        expect_ok "Node"
        expect_out "node works"
    fi
}
