# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Deny-read against what the host offers: links, aliases, descriptors, other processes, other
# file systems, one that never answers.
CASES=(
    dr_08_links_by_the_job:se dr_09_parent_renamed_by_an_earlier_job:se
    dr_17_open_descriptor_as_stdin:se dr_18_descriptor_from_a_helper:se
    dr_19_other_processes_of_the_user:se dr_22_bind_mount_elsewhere:se
    dr_24_file_system_that_never_answers:se dr_32_other_file_systems:se)

# A denied file and folder below the workspace, which the job may write.
dh_setup()
{
    install -d "$WS_A/conf/deep" "$WS_A/vault/in"
    echo "$SECRET" >"$WS_A/conf/deep/key"
    echo "$SECRET" >"$WS_A/vault/in/file"
    echo plain >"$WS_A/plain.txt"
    chown -R cordon-a: "$HOME_A"
    dh_rules "$WS_A/conf/deep/key" "$WS_A/vault" "$@"
}

# A profile that denies these.
dh_rules()
{
    {
        printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n'
        printf '[permissions.dev.filesystem]\n'
        printf '"%s" = "deny"\n' "$@"
    } | user_config cordon-a
}

dr_08_links_by_the_job()
{
    dh_setup
    job cordon-a -- /usr/bin/python3 -c '
import ctypes, os, sys
def tried(what, act):
    try: act(); print("LINKED", what)
    except OSError as error: print("refused", what)
libc = ctypes.CDLL(None, use_errno=True)
def linkat(fd, name, flags, to):
    if libc.linkat(fd, name, -100, to, flags) != 0: raise OSError(ctypes.get_errno(), "linkat")
for number, name in enumerate(("conf/deep/key", "vault/in/file")):
    tried("link", lambda: os.link(name, "l%d" % number))
    def by_handle(flags, form):
        fd = os.open(name, os.O_PATH)
        linkat(fd if flags == 0x1000 else -100, form % fd if b"%" in form else form, flags, b"h%d" % number)
    tried("AT_EMPTY_PATH", lambda: by_handle(0x1000, b""))
    tried("/proc/self/fd", lambda: by_handle(0x400, b"/proc/self/fd/%d"))
os.link("plain.txt", "other"); print(open("other").read())'
    [ "$(grep -c '^refused' <<<"$OUT")" = 6 ] || fail "a denied file was linked; $(got)"
    expect_out plain
    dh_snapshots_and_generations
}

# Two jobs, the second of which looks under the names that the first one would have liked.
dh_parents()
{
    local before

    before=$(cd "$WS_A" && find . | sort)
    job cordon-a -- sh -c 'mv conf c2; mv conf/deep conf/d2; mv vault v2; mv vault/in v3; rmdir vault'
    job cordon-a -- sh -c 'cat c2/deep/key c2/d2/key conf/d2/key conf/deep/key v2/in/file vault/in/file v3/file; cat plain.txt'
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "$1: a later job reads it; $(got)"
    expect_out plain "$1"
    [ "$before" = "$(cd "$WS_A" && find . | sort)" ] || fail "$1: something was moved"
}

# Ways to another name, or to be another object, that are no links: snapshots of subvolumes, inodes
# that change their generation. Refused by number, so also where the file system has no such thing.
dh_snapshots_and_generations()
{
    dh_setup
    job cordon-a -- /usr/bin/python3 -c '
import errno, fcntl, os
fd = os.open("plain.txt", os.O_RDWR)
for number in (0x50009401, 0x50009417, 0x4020bc10, 0x40087602, 0x40047602, 0x40086604, 0x40046604):
    try: fcntl.ioctl(fd, number, bytes(64))
    except OSError as error: print("refused" if error.errno == errno.EPERM else error)
    else: print("DONE", hex(number))'
    [ "$(grep -c '^refused$' <<<"$OUT")" = 7 ] || fail "not refused; $(got)"
}

dr_09_parent_renamed_by_an_earlier_job()
{
    dh_setup
    dh_parents "the profile's"
    dh_rules "$WS_A/none"
    printf '[permissions.filesystem]\ndeny_read = ["%s", "%s"]\n' \
        "$WS_A/conf/deep/key" "$WS_A/vault" | managed_codex
    dh_parents "managed"
    # Not even where the caller had shut the directory at the start.
    chmod 0 "$WS_A/conf/deep"
    job cordon-a -- sh -c 'mv conf c2; mv conf/deep conf/d2; chmod 755 conf/deep; mv conf/deep conf/d2'
    chmod 755 "$WS_A/conf/deep"
    [ -e "$WS_A/conf/deep/key" ] || fail "managed, shut: something was moved"
    printf '[permissions.filesystem]\ndeny_read = ["%s/conf/*/key", "%s/vault/in/*"]\n' \
        "$WS_A" "$WS_A" | managed_codex
    job cordon-a -- sh -c 'mv conf c2; mv vault/in vault/v2; mv vault v3; mv v3/in v3/v2'
    job cordon-a -- sh -c 'cat c2/deep/key vault/v2/file v3/in/file v3/v2/file conf/deep/key; cat plain.txt'
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "managed patterns: a later job reads it; $(got)"
    expect_out plain "managed patterns"
    [ "$CORDON_MODE" = embedded ] || dh_shut_directory_opened_by_a_later_job
}

# A directory that is shut while a job starts: what it hides is held all the same.
dh_shut_directory_opened_by_a_later_job()
{
    echo "$SECRET" >"$HOME_A/shut-key"
    install -d -o cordon-a "$WS_A/shut"
    mv "$HOME_A/shut-key" "$WS_A/shut/key"
    chown -R cordon-a: "$HOME_A"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$WS_A/shut/key" | managed_codex
    job cordon-a -s workspace-write -- chmod 0 shut
    job cordon-a -s workspace-write -- sh -c 'chmod 755 shut; mv shut/key shut/k2; mv shut s2'
    job cordon-a -s workspace-write -- sh -c 'cat shut/k2 shut/key s2/key s2/k2; echo plain'
    chmod 755 "$WS_A/shut" 2>/dev/null
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "a later job reads it; $(got)"
    expect_out plain
    [ "$(cat "$WS_A/shut/key")" = "$SECRET" ] || fail "it was moved"
}

dr_17_open_descriptor_as_stdin()
{
    dh_setup "/**/*.pem"
    echo "$SECRET" >"$WS_A/x.pem"
    ln "$WS_A/conf/deep/key" "$HOME_A/earlier"
    chown cordon-a: "$WS_A/x.pem"
    for file in "$WS_A/conf/deep/key" "$WS_A/vault/in/file" "$WS_A/x.pem"; do
        STDIN=$file job cordon-a -- cat
        expect_refused 'standard input.*denie[sd]' "$file"
    done
    STDIN=$WS_A/plain.txt job cordon-a -- cat
    expect_out plain
}

# Bound under a relative name, and after the start: only the kernel's program can tell; elsewhere
# doctor and the plan say that it is not covered.
dh_sockets_bound_otherwise()
{
    local helper

    dh_setup
    if ! decided_by bpf; then
        "$CORDON" doctor | grep -q 'note *host sockets *not covered' || fail "doctor says nothing"
        job cordon-a --print-plan -- true
        expect_out 'bound when the job starts' "the plan"
        return
    fi
    as_user cordon-a /usr/bin/python3 -c '
import array, os, socket, sys, time
os.chdir(sys.argv[1])
fd = os.open("vault/in/file", os.O_RDONLY)
def serve(name, kind):
    server = socket.socket(socket.AF_UNIX, kind); server.bind(name)
    if kind == socket.SOCK_STREAM: server.listen()
    return server
first = serve("early", socket.SOCK_STREAM)
open("up", "w")
while not os.path.exists("begun"): time.sleep(0.01)
later = serve(sys.argv[1] + "/later", socket.SOCK_STREAM)
letters = serve(sys.argv[1] + "/letters", socket.SOCK_DGRAM)
# The other way round: a host process calls on the job and brings the descriptor along.
with socket.socket(socket.AF_UNIX) as caller:
    open("done", "w")
    for i in range(500):
        try: caller.connect("inside"); break
        except OSError: time.sleep(0.01)
    try: caller.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    except OSError: pass
    time.sleep(0.5)' "$WS_A" &
    helper=$!
    wait_for "[ -e '$WS_A/up' ]"
    job cordon-a -- /usr/bin/python3 -c '
import os, socket, time
inside = socket.socket(socket.AF_UNIX); inside.bind("inside"); inside.listen(); inside.settimeout(5)
open("begun", "w")
while not os.path.exists("done"): time.sleep(0.01)
for name in ("early", "later"):
    try:
        with socket.socket(socket.AF_UNIX) as s: s.connect(name); print("REACHED", name)
    except OSError: print("refused")
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    try: s.sendto(b"x", "letters"); print("REACHED letters")
    except OSError: print("refused")
try:
    fds = socket.recv_fds(inside.accept()[0], 9, 1)[1]
    print("RECEIVED", os.read(fds[0], 99) if fds else "") if fds else print("refused")
except OSError: print("refused")'
    wait "$helper" 2>/dev/null
    rm -f "$WS_A"/{early,later,letters,inside,up,begun,done}
    [ "$OUT" = "$(printf 'refused\n%.0s' 1 2 3 4)" ] || fail "a helper was reached; $(got)"
}

# One that listens when the job starts, under an absolute name.
dr_18_descriptor_from_a_helper()
{
    local helper

    dh_setup
    as_user cordon-a /usr/bin/python3 -c '
import array, os, socket, sys
os.chdir(sys.argv[1])
server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1] + "/helper"); server.listen()
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\0dr18" + sys.argv[2]); abstract.listen()
fd = os.open("vault/in/file", os.O_RDONLY)
open("up", "w")
while True:
    peer = server.accept()[0]
    peer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])' "$WS_A" "$CORDON_TEST_UID" &
    helper=$!
    wait_for "[ -e '$WS_A/up' ]"
    job cordon-a -- /usr/bin/python3 -c '
import os, socket, sys
for name in ("helper", "./helper", os.getcwd() + "/helper", "\0dr18" + sys.argv[1]):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(name)
            print("REACHED", repr(name), os.read(socket.recv_fds(s, 9, 1)[1][0], 99))
    except OSError: print("refused")' "$CORDON_TEST_UID"
    pkill -f 'abstract.bind'
    wait "$helper" 2>/dev/null
    rm -f "$WS_A/up" "$WS_A/helper"
    [ "$OUT" = "$(printf 'refused\n%.0s' 1 2 3 4)" ] || fail "the helper was reached; $(got)"
    [ "$CORDON_MODE" = embedded ] || dh_sockets_bound_otherwise
}

dr_19_other_processes_of_the_user()
{
    local pid outside

    dh_setup
    as_user cordon-a SECRET="$SECRET" sleep 41.7 &
    outside=$!
    wait_for "pgrep -f '^sleep 41.7' >/dev/null"
    pid=$(pgrep -f '^sleep 41.7')
    job cordon-a -- /usr/bin/python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
def call(what, *arguments):
    print("refused" if libc.syscall(*arguments) == -1 else "REACHED " + what)
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
call("PTRACE_ATTACH", 101, 16, pid, 0, 0)
call("PTRACE_SEIZE", 101, 0x4206, pid, 0, 0)
call("process_vm_readv", 310, pid, vector, 1, vector, 1, 0)
call("pidfd_open", 434, pid, 0)
call("kill", 62, pid, 0)
for name in ("mem", "environ", "maps", "root/etc", "fd"):
    try: os.open("/proc/%d/%s" % (pid, name), os.O_RDONLY); print("REACHED", name)
    except OSError: print("refused")' "$pid"
    kill "$pid"
    wait "$outside"
    [ "$(grep -c '^refused$' <<<"$OUT")" = 10 ] || fail "another process was reached; $(got)"
}

dr_22_bind_mount_elsewhere()
{
    dh_setup "/**/*.pem"
    install -d "$HOME_A/alias" "$HOME_A/whole"
    echo "$SECRET" >"$WS_A/vault.pem"
    echo >"$HOME_A/one.txt"
    chown -R cordon-a: "$HOME_A"
    mount --bind "$WS_A/vault" "$HOME_A/alias"
    mount --bind "$WS_A" "$HOME_A/whole"
    mount --bind "$WS_A/vault.pem" "$HOME_A/one.txt"
    for file in alias/in/file whole/vault/in/file whole/conf/deep/key whole/vault.pem one.txt; do
        job cordon-a -- cat "$HOME_A/$file"
        expect_denied "$SECRET" "$file"
    done
    job cordon-a -- cat "$HOME_A/whole/plain.txt"
    expect_out plain
    umount "$HOME_A/one.txt" "$HOME_A/whole" "$HOME_A/alias"
}

# A FUSE server that says it is there and then nothing more; $2 are the mount's options.
dh_hang()
{
    /usr/bin/python3 - "$1" "$2" <<'PY' &
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,group_id=0,%s" % (fd, sys.argv[2].encode())
if libc.mount(b"hang", sys.argv[1].encode(), b"fuse", 6, options) != 0:
    sys.exit("cannot mount: %d" % ctypes.get_errno())
request = os.read(fd, 65536)
unique = struct.unpack_from("<Q", request, 8)[0]
body = struct.pack("<IIIIHHIIHHI", 7, 31, 0, 0, 12, 9, 65536, 1, 256, 0, 0) + bytes(28)
os.write(fd, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)
open(sys.argv[1] + ".up", "w")
while True: os.read(fd, 1 << 20)
PY
    HANG=$!
    wait_for "[ -e '$1.up' ]"
}

dh_unhang()
{
    kill "$HANG"
    umount -l "$1"
    wait "$HANG" 2>/dev/null
    rm -f "$1.up"
}

dr_24_file_system_that_never_answers()
{
    local began took tries

    install -d "$HOME_A/hang"
    dh_setup "$HOME_A/hang/secret" "$HOME_A/hang/sub/deep" "$HOME_A/**/*.pem"
    dh_hang "$HOME_A/hang" user_id=0,allow_other
    # 0.8 s of it are the product's own; what else the machine does may delay one, not three.
    for tries in 1 2 3; do
        began=$EPOCHREALTIME
        job cordon-a -- cat plain.txt
        took=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
        DR24="status $RC in $took ms, $OUT $ERR"
        [[ $DR24 = "status 125 "*"$HOME_A/hang/"*"does not answer"* ]] || fail "not refused: $DR24"
        [ "$took" -ge $((1000 * ${SLOW:-1})) ] || break
    done
    job cordon-b -- id -un
    expect_out cordon-b "another user meanwhile"
    # A pattern alone asks the server nothing, unless the files are to be walked.
    dh_rules "$HOME_A/**/*.pem"
    job cordon-a -- cat plain.txt
    if [ "$CORDON_MODE" = service ]; then
        expect_out plain "beside a pattern"
    else
        expect_refused 'does not answer' "beside a pattern"
    fi
    dh_unhang "$HOME_A/hang"
    if [ "$CORDON_MODE" = service ]; then
        # One that answers its user alone: nobody could decide there, so it is hidden.
        dh_hang "$HOME_A/hang" "user_id=$(id -u cordon-a)"
        job cordon-a -- sh -c 'cat plain.txt; ls -a ../hang'
        expect_out plain "beside a server of the user's own"
            expect_err "$DENIAL" "a server of the user's own is hidden"
        dh_unhang "$HOME_A/hang"
    fi
    [ "$took" -lt $((1000 * ${SLOW:-1})) ] || fail "the start was not bounded in $tries tries: $DR24"
}

# What DR-01, 02, 07, 12, 14 say, on file system $1, which is mounted on $WS_A.
dh_on_this()
{
    local name host

    dh_setup "/**/*.pem" "$WS_A/later"
    echo "$SECRET" >"$WS_A/x.pem"
    ln "$WS_A/conf/deep/key" "$WS_A/earlier" 2>/dev/null || echo "$SECRET" >"$WS_A/earlier.pem"
    chown -R cordon-a: "$WS_A"
    for name in conf/deep/key vault/in/file x.pem; do
        job cordon-a -- cat "$name"
        expect_denied "$SECRET" "$1: $name"
    done
    job cordon-a -- cat plain.txt
    expect_out plain "$1"
    [ "$CORDON_MODE" = service ] || return 0
    job cordon-a -- cat earlier
    expect_denied "$SECRET" "$1: an earlier link"
    (
        wait_for "[ -e '$WS_A/begun' ]"
        echo "$SECRET" | tee "$WS_A/later" >"$WS_A/conf/new.pem"
        touch "$WS_A/done"
    ) &
    host=$!
    job cordon-a -- sh -c 'touch begun; while [ ! -e done ]; do sleep 0.01; done
        cat later; cat conf/new.pem; cat plain.txt'
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "$1: what appeared was read; $(got)"
    expect_out plain "$1: after it appeared"
    wait "$host"
}

dr_32_other_file_systems()
{
    local type image=$TOP/image

    mount -t tmpfs dr32 "$WS_A"
    dh_on_this tmpfs
    umount -l "$WS_A"
    install -d "$TOP/over/"{upper,spare,lower}
    mount -t overlay -o "lowerdir=$TOP/over/lower,upperdir=$TOP/over/upper,workdir=$TOP/over/spare" \
        dr32 "$WS_A"
    dh_on_this overlayfs
    umount -l "$WS_A"
    for type in ext4 btrfs xfs; do
        command -v "mkfs.$type" >/dev/null || continue
        truncate -s 400M "$image"
        "mkfs.$type" -q "$image" || fail "mkfs.$type"
        mount -o loop "$image" "$WS_A" || fail "$type cannot be mounted"
        dh_on_this "$type"
        umount -l "$WS_A"
        rm "$image"
    done
    rm -rf "$TOP/over"
}
