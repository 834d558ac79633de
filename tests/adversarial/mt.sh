# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Set-up, mounts, privilege: what a job starts with and what it can get.
CASES=(
    mt_03_unreachable_path_is_no_oracle:se mt_07_open_descriptors:se mt_08_helpers_executables:se
    mt_09_status:se mt_10_setuid_devices_capabilities:se mt_11_mount_calls:se
    mt_13_mounts_after_the_start:se mt_14_foreign_abis:se mt_15_services_of_the_host:se
    mt_23_each_system_call_fails_once:se mt_26_literal_words:se
    mt_27_closed_standard_streams:se mt_30_cordon_inside_cordon:se mt_31_reopened_stdin:se)

mt_03_unreachable_path_is_no_oracle()
{
    local access existing missing

    job cordon-a -- true
    expect_ok "the control"
    install -d -m 700 "$TOP/private" "$TOP/private/sub"
    echo "the-content-nobody-may-see" >"$TOP/private/sub/there"
    for access in write read deny; do
        # One line each, with the name itself made the same.
        for name in there none_; do
            user_config cordon-a <<TOML
default_permissions = "dev"
[permissions.dev]
extends = ":workspace"
[permissions.dev.filesystem]
"$TOP/private/sub/$name" = "$access"
TOML
            job cordon-a -- cat "$TOP/private/sub/$name"
            [[ $OUT$ERR != *nobody-may-see* ]] || fail "$access: the content shows"
            [ "$RC" != 0 ] || fail "$access: cat succeeded"
            if [ "$name" = there ]; then
                existing="$RC $OUT $(sort <<<"${ERR//there/NAME}")"
            else
                missing="$RC $OUT $(sort <<<"${ERR//none_/NAME}")"
            fi
        done
        [ "$existing" = "$missing" ] || fail "$access: an oracle: '$existing' against '$missing'"
    done
    rm "$HOME_A/.codex/config.toml"
    DIR=$HOME_A job cordon-a -C "$TOP/private/sub" -- pwd
    existing="$RC ${ERR//sub/NAME}"
    job cordon-a -C "$TOP/private/non" -- pwd
    [ "$existing" = "$RC ${ERR//non/NAME}" ] || fail "-C is an oracle: '$existing' against '$ERR'"
    rm -rf "$TOP/private"
}

mt_07_open_descriptors()
{
    echo stdin >"$WS_A/in"
    STDIN=$WS_A/in job cordon-a -- "$PROBES/probe_fds" 5<"$TOP/service.log" 9</etc/shadow 63</
    expect_ok
    [ "$(cut -d' ' -f1 <<<"$OUT" | tr '\n' ' ')" = "0 1 2 " ] || fail "descriptors: $OUT"
    expect_out "0 $WS_A/in"
    job cordon-a -- sh -c "'$PROBES/probe_fds' | cat"
    [ "$(cut -d' ' -f1 <<<"$OUT" | tr '\n' ' ')" = "0 1 2 " ] || fail "in a child: $OUT"
    run job_run cordon-a "$WS_A" -s danger-full-access -- "$PROBES/probe_fds" 7</etc/shadow
    [ "$(cut -d' ' -f1 <<<"$OUT" | tr '\n' ' ')" = "0 1 2 " ] || fail "full access: $OUT"
}

product_hash()
{
    find "$CORDON_BUILD/client" "$CORDON_BUILD/broker" "$CORDON_BUILD/platform" -type f \
        -perm /111 -name 'cordon*' ! -name '*.a' -exec sha256sum {} + | sort
}

mt_08_helpers_executables()
{
    local before user

    before=$(product_hash)
    install -d "$TOP/rootwork"
    for user in cordon-a root; do
        DIR=$TOP/rootwork job "$user" -s workspace-write -- \
            "$PROBES/probe_reopen" /proc/1/exe /proc/self/exe /proc/thread-self/exe
        expect_ok "as $user"
        DIR=$TOP/rootwork job "$user" -s workspace-write -- sh -c \
            'for p in /proc/[0-9]*; do : 2>/dev/null >>$p/exe && echo "$p written"; done; true'
        [ -z "$OUT" ] || fail "as $user: $OUT"
    done
    # A debugger writes to /proc/PID/mem; nobody, and root least, to the host's switches.
    job cordon-a -- sh -c 'echo renamed >/proc/$$/comm && cat /proc/$$/comm'
    expect_out renamed "a process of the job under its own /proc"
    for user in cordon-a root; do
        DIR=$TOP/rootwork job "$user" -s workspace-write -- sh -c \
            'for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sysrq-trigger \
                /proc/1/oom_score_adj; do : 2>/dev/null >>$f && echo "$f written"; done; true'
        [ -z "$OUT" ] || fail "as $user: $OUT"
    done
    [ "$before" = "$(product_hash)" ] || fail "a program of the product was changed"
    rm -rf "$TOP/rootwork"
}

mt_09_status()
{
    local mode

    echo hidden >"$HOME_A/denied" && chmod 600 "$HOME_A/denied" && chown cordon-a: "$HOME_A/denied"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/denied" | managed_codex
    for mode in read-only workspace-write danger-full-access; do
        job cordon-a -s "$mode" -- "$PROBES/probe_confined" "$HOME_A/denied"
        expect_ok "$mode"
        expect_out "confined uid=$CORDON_TEST_UID" "$mode"
    done
    for mode in "su -c id root" "sudo -n id" "su - root -c id" "newgrp root"; do
        job cordon-a -- sh -c "$mode"
        [ "$RC" != 0 ] || fail "$mode: succeeded; $(got)"
        [[ $OUT != *uid=0* ]] || fail "$mode: gained root"
    done
    job cordon-a -- sh -c 'ping -c1 -W1 127.0.0.1 >/dev/null 2>&1; id -u'
    expect_out "$CORDON_TEST_UID" "after ping"
    DIR=$HOME_A job root -s workspace-write -- "$PROBES/probe_confined" "$HOME_A/denied"
    expect_ok "as root"
}

mt_10_setuid_devices_capabilities()
{
    cp "$PROBES/probe_confined" "$WS_A/suid"
    cp "$PROBES/probe_confined" "$WS_A/caps"
    chown root:root "$WS_A/suid" "$WS_A/caps"
    chmod 6755 "$WS_A/suid"
    /usr/bin/python3 -c 'import os, struct, sys
os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, 0xffffffff, 0, 0x1ff, 0))' \
        "$WS_A/caps" || fail "cannot set file capabilities"
    mknod -m 666 "$WS_A/null" c 1 3
    mknod -m 666 "$WS_A/disk" b 7 0
    for file in suid caps; do
        job cordon-a -s workspace-write -- "./$file"
        expect_ok "$file"
        expect_out "uid=$CORDON_TEST_UID" "$file"
    done
    for file in null disk; do
        job cordon-a -s workspace-write -- sh -c ": <$file"
        [ "$RC" != 0 ] || fail "the device $file opens"
        job cordon-a -s workspace-write -- sh -c ": >>$file"
        [ "$RC" != 0 ] || fail "the device $file opens for writing"
    done
    job cordon-a -s workspace-write -- mknod mine c 1 3
    [ "$RC" != 0 ] || fail "the job makes a device"
    job root -s workspace-write -- mknod mine c 1 3
    [ "$RC" != 0 ] || fail "root's job makes a device"
    rm -f "$WS_A/suid" "$WS_A/caps" "$WS_A/null" "$WS_A/disk"
}

mt_11_mount_calls()
{
    local mode user

    for user in cordon-a root; do
        for mode in read-only workspace-write; do
            DIR=/usr job "$user" -s "$mode" -- "$PROBES/probe_mount"
            expect_ok "$user $mode"
            [ "$(grep -c REFUSED <<<"$OUT")" = 13 ] || fail "$user $mode: $OUT"
        done
    done
    echo hidden >"$HOME_A/denied"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/denied" | managed_codex
    job cordon-a -s danger-full-access -- "$PROBES/probe_mount"
    expect_ok "full access with a managed rule"
}

# Where mounts propagate by themselves, as a booted host has it.
mt_13_mounts_after_the_start()
{
    local host before

    install -d "$WS_A/m"
    echo below >"$WS_A/m/f"
    chown -R cordon-a: "$WS_A"
    mount --bind "$WS_A" "$WS_A"
    mount --make-shared "$WS_A"
    before=$(mount_list)
    (
        wait_for "[ -e '$WS_A/begun' ]"
        mount -t tmpfs later "$WS_A/m" && echo above >"$WS_A/m/f"
        : >"$WS_A/go"
    ) &
    host=$!
    (cd "$WS_A" && JOB_TIMEOUT=20 job_run cordon-a "$WS_A" -s workspace-write -- sh -c \
        'touch begun; while [ ! -e go ]; do sleep 0.05; done; cat m/f
         mount -t tmpfs mine m; mount --bind m .; unshare -Urm mount -t tmpfs mine m; cat m/f' \
        >"$TOP/.out" 2>"$TOP/.err")
    wait "$host"
    [ "$(cat "$TOP/.out")" = "$(printf 'below\nbelow')" ] ||
        fail "the job saw: $(cat "$TOP/.out") $(cat "$TOP/.err")"
    [ "$(cat "$WS_A/m/f")" = above ] || fail "the job changed the host's view"
    umount "$WS_A/m"
    [ "$(mount_list)" = "$before" ] || fail "a mount of the job's is on the host"
    umount -l "$WS_A"
}

mt_14_foreign_abis()
{
    local probe

    for probe in probe_i386 probe_x32; do
        [ -x "$PROBES/$probe" ] || fail "$probe was not built (gcc-multilib)"
        job cordon-a -s workspace-write -- "$PROBES/$probe"
        # A program all of whose calls are foreign is killed (SIGSYS) at its first.
        [ "$probe.$RC" = probe_i386.159 ] && continue
        expect_ok "$probe"
        [ "$(grep -c REFUSED <<<"$OUT")" -ge 24 ] || fail "$probe: $OUT"
    done
}

# Each says "served" to whoever connects. The same case beside this one may have the abstract name.
mt_15_services_of_the_host()
{
    local server sockets=(/run/dbus/system_bus_socket /run/docker.sock /tmp/.X11-unix/X0
        "$HOME_A/.ssh/agent")

    install -d /run/dbus /tmp/.X11-unix "$HOME_A/.ssh"
    /usr/bin/python3 -c '
import errno, os, socket, select, sys, time
def bind(one, name):
    while True:
        try: return one.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE: raise
            time.sleep(0.01)
servers = []
for name in sys.argv[1:] + ["\0/tmp/.X11-unix/X0"]:
    one = socket.socket(socket.AF_UNIX); bind(one, name); one.listen(); servers.append(one)
    if name[0] == "/": os.chmod(name, 0o777)
open("/run/mt15", "w")
while True:
    for one in select.select(servers, [], [])[0]: one.accept()[0].sendall(b"served")' "${sockets[@]}" &
    server=$!
    wait_for "[ -e /run/mt15 ]"
    chmod 755 "$HOME_A/.ssh"
    printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n%s\n"%s" = "allow"\n' \
        '[permissions.dev.network.unix_sockets]' /run/docker.sock | user_config cordon-a
    run as_user cordon-a /usr/bin/python3 -c "$MT15_CONNECT" "${sockets[@]}"
    [ "$(grep -c served <<<"$OUT")" = 5 ] || fail "outside: $(got)"
    job cordon-a -- /usr/bin/python3 -c "$MT15_CONNECT" "${sockets[@]}"
    kill "$server"
    wait "$server" 2>/dev/null
    rm -rf /run/mt15 "${sockets[@]}" /run/dbus /tmp/.X11-unix
    [ "$OUT" = "$(printf 'refused\nserved\nrefused\nrefused\nrefused')" ] || fail "in the job: $(got)"
}

mt_26_literal_words()
{
    local odd want dir

    dir="$WS_A/--sandbox=danger-full-access \$(id) a"$'\n'"b"
    install -d -o cordon-a -g cordon-a "$dir"
    for odd in "--" "--sandbox" "-s" "a=b" $'new\nline' "two words" '$(id)' '`id`' "*" "'" '"' \
        "-c" "--print-plan" $'\x01\xff' "%s%n"; do
        (cd "$dir" && as_user cordon-a "PROBE_X=$odd" "$CORDON" sandbox linux -- \
            "$PROBES/probe_args" "$odd" "" "$odd=1" </dev/null) >"$TOP/.out" 2>"$TOP/.err" ||
            fail "'$odd' failed: $(cat "$TOP/.err")"
        printf '%s\0%s\0%s\0%s\0PROBE_X=%s\0' "$odd" "" "$odd=1" "$dir" "$odd" >"$TOP/.want"
        cmp -s "$TOP/.want" "$TOP/.out" || fail "'$odd' arrived as $(tr '\0' '|' <"$TOP/.out")"
    done
    job cordon-a -- --version
    expect_rc 127 "a command called --version"
    job cordon-a -P "--x" -- true
    [ "$RC" != 0 ] || fail "a profile called --x exists"
    expect_err '--x' "the profile's name in the message"
    # A profile and paths with odd names.
    echo the-content >"$WS_A/--odd = [1] file"
    user_config cordon-a <<'TOML'
default_permissions = "two words = 1"
[permissions."two words = 1"]
extends = ":workspace"
[permissions."two words = 1".filesystem]
"~/ws/--odd = \\[1\\] file" = "deny"
TOML
    job cordon-a -- cat -- "--odd = [1] file"
    expect_denied the-content "an odd path"
    rm -rf "$dir" "$WS_A/--odd = [1] file"
}

MT15_CONNECT='
import socket, sys
for name in sys.argv[1:] + ["\0/tmp/.X11-unix/X0"]:
    try:
        with socket.socket(socket.AF_UNIX) as one: one.connect(name); print(one.recv(9).decode())
    except OSError: print("refused")'

mt_27_closed_standard_streams()
{
    local close

    for close in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
        rm -f "$WS_A/fds"
        (cd "$WS_A" && as_user cordon-a CLOSE="$close" sh -c \
            'eval "exec $CLOSE"; exec "$@"' sh "$CORDON" sandbox linux -s workspace-write -- \
            "$PROBES/probe_fds" "$WS_A/fds" </dev/null >"$TOP/.out" 2>"$TOP/.err")
        [ $? = 0 ] || fail "$close: $(cat "$TOP/.err")"
        # The report itself is open as the first free number, never below 3.
        for n in 0 1 2; do
            grep -q "^$n " "$WS_A/fds" || fail "$close: $n is closed: $(cat "$WS_A/fds")"
        done
        case "$close" in
        *'<&-'*) grep -qx '0 /dev/null' "$WS_A/fds" || fail "$close: $(cat "$WS_A/fds")" ;;
        esac
        case " $close" in
        *' >&-'*) grep -qx '1 /dev/null' "$WS_A/fds" || fail "$close: $(cat "$WS_A/fds")" ;;
        esac
        case "$close" in
        *'2>&-'*) grep -qx '2 /dev/null' "$WS_A/fds" || fail "$close: $(cat "$WS_A/fds")" ;;
        esac
    done
    rm -f "$WS_A/fds"
}

# What the outer one denies stays denied, and nothing runs that was promised more than it gets.
mt_30_cordon_inside_cordon()
{
    local inner

    echo hidden >"$HOME_A/denied"
    chown cordon-a: "$HOME_A/denied"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/denied" | managed_codex
    for inner in "" --embedded "-s danger-full-access" "--embedded -s danger-full-access"; do
        # shellcheck disable=SC2086
        job cordon-a -- "$CORDON" sandbox $inner linux -- sh -c "cat '$HOME_A/denied'; echo ran"
        [[ $OUT$ERR != *hidden* ]] || fail "inside, $inner: $(got)"
        [ "$OUT" = ran ] || { [ "$RC" = 125 ] && [ -z "$OUT" ] &&
            [ "$(grep '^cordon: ' <<<"$ERR" | grep -vc 'holds\? for what exists')" = 1 ]; } ||
            fail "inside, $inner: $(got)"
    done
}

mt_31_reopened_stdin()
{
    local path

    echo original >"$HOME_A/input"
    chown cordon-a: "$HOME_A/input"
    for path in /proc/self/fd/0 /dev/stdin /dev/fd/0 /proc/thread-self/fd/0; do
        STDIN=$HOME_A/input job cordon-a -s workspace-write -- "$PROBES/probe_reopen" "$path"
        expect_ok "$path"
        grep -qx original "$HOME_A/input" || fail "$path: the file was changed"
    done
    STDIN=$HOME_A/input job cordon-a -- cat
    expect_ok "reading it"
    expect_out original
    STDIN=$HOME_A job cordon-a -- ls /proc/self/fd/0/
    expect_refused 'director' "a directory as stdin"
    STDIN=$HOME_A job cordon-a -s danger-full-access -- true
    expect_refused 'director' "a directory as stdin, full access"
}

. "$HERE/torture.sh"
