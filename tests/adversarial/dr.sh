# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Deny-read: what a policy denies is not read, by any spelling of its name.
CASES=(
    dr_01_exact_file:se dr_02_directory:se dr_03_spellings:se dr_04_proc_and_dev_fd:se
    dr_05_symbolic_links:se dr_06_aliases:se dr_20_two_jobs_of_one_user:se
    dr_26_managed_deny_wins:se dr_28_denied_program_and_loader:se)

SECRET=the-content-nobody-may-see

# A file and a folder with secrets, denied by the profile "dev".
dr_setup()
{
    echo "$SECRET" >"$HOME_A/secret.txt"
    mkdir "$HOME_A/vault" "$HOME_A/vault/deep" "$HOME_A/x"
    echo "$SECRET" >"$HOME_A/vault/inner.txt"
    echo "$SECRET" >"$HOME_A/vault/deep/er.txt"
    chown -R cordon-a: "$HOME_A"
    {
        printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n'
        printf '[permissions.dev.filesystem]\n"~/secret.txt" = "deny"\n"~/vault" = "deny"\n'
        printf '%s\n' "$@"
    } | user_config cordon-a
}

dr_01_exact_file()
{
    local reader

    dr_setup
    job cordon-a -- cat "$HOME_A/.codex/config.toml"
    expect_ok "the control read"
    for reader in cat "head -c 4" "cp -t $WS_A" "dd status=none if=" "grep -H ." "sort" "tail -n1"; do
        case "$reader" in
        *=) job cordon-a --log-denials -- sh -c "$reader'$HOME_A/secret.txt'" ;;
        *) job cordon-a --log-denials -- sh -c "$reader '$HOME_A/secret.txt'" ;;
        esac
        expect_denied "${SECRET:0:4}" "$reader"
        expect_record "$HOME_A/secret.txt" "config.toml:5"
    done
    job cordon-a -- sh -c "echo x >'$HOME_A/secret.txt'"
    expect_denied "$SECRET" "writing"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/x/managed.txt" | managed_codex
    echo "$SECRET" >"$HOME_A/x/managed.txt"
    job cordon-a --log-denials -- cat "$HOME_A/x/managed.txt"
    expect_denied "$SECRET" "managed"
    expect_record "$HOME_A/x/managed.txt" "requirements.toml:2"
}

dr_02_directory()
{
    local before action

    # The vault lies in the workspace too, where the job could otherwise write.
    dr_setup '":workspace_roots" = {"vault" = "deny"}'
    cp -a "$HOME_A/vault" "$WS_A/vault"
    before=$(tree "$HOME_A")
    for dir in "$HOME_A/vault" "$WS_A/vault"; do
        for action in "ls" "cat %/inner.txt" "cat %/deep/er.txt" "echo x >%/new" "mkdir %/d" \
            "echo x >%/inner.txt" "rm -f %/inner.txt" "mv %/inner.txt %/moved" "chmod 777 %" \
            "touch %" "ln -s x %/l" "rmdir %/deep" "find % -type f | grep ." "tar cf - %"; do
            case "$action" in
            ls)
                job cordon-a --log-denials -- ls "$dir"
                expect_record "list $dir" "config.toml"
                ;;
            *) job cordon-a -- sh -c "${action//\%/$dir}" ;;
            esac
            [[ $OUT != *inner.txt* ]] || fail "$action: lists the denied directory; $(got)"
            [[ $action == find* ]] && continue
            expect_denied "$SECRET" "$action"
        done
    done
    expect_same_tree "$HOME_A" "$before"
}

dr_03_spellings()
{
    local path

    dr_setup
    for path in "$HOME_A/x/../vault/inner.txt" "$HOME_A//vault///inner.txt" \
        "$HOME_A/./vault/./inner.txt" "$HOME_A/vault/deep/../inner.txt" ../vault/inner.txt \
        ../x/../../a/vault/inner.txt "/..$HOME_A/vault/inner.txt" "$HOME_A/x/../secret.txt" \
        ../secret.txt ./../secret.txt; do
        job cordon-a -- cat "$path"
        expect_denied "$SECRET" "$path"
    done
    for path in "$HOME_A/vault/" "$HOME_A/vault/." "$HOME_A/x/../vault/" "$HOME_A//vault//"; do
        job cordon-a -- ls "$path"
        expect_denied inner.txt "$path"
    done
    job cordon-a -- sh -c "cd '$HOME_A/vault' && cat inner.txt"
    expect_denied "$SECRET" "from inside" "can't cd"
    DIR=$HOME_A/vault job cordon-a -- cat inner.txt
    expect_denied "$SECRET" "started inside"
    job cordon-a -C "$HOME_A/vault" -- cat inner.txt
    expect_denied "$SECRET" "-C"
}

dr_04_proc_and_dev_fd()
{
    local path

    dr_setup
    for path in /proc/self/root /proc/1/root /proc/thread-self/root /proc/self/task/1/root \
        /proc/self/cwd/../../../../.. /proc/1/cwd; do
        job cordon-a -- cat "$path$HOME_A/secret.txt"
        [[ $OUT$ERR != *"$SECRET"* ]] || fail "$path: the content shows"
        [ "$RC" != 0 ] || fail "$path: succeeded"
    done
    job cordon-a -- cat /proc/self/cwd/../secret.txt
    expect_denied "$SECRET" "through cwd"
    job cordon-a -- bash -c "exec 3<'$HOME_A'; cat /dev/fd/3/secret.txt"
    expect_denied "$SECRET" "through /dev/fd" "$DENIAL|No such|Not a directory"
    job cordon-a -- bash -c "exec 3<'$HOME_A'; cat /proc/self/fd/3/vault/inner.txt"
    expect_denied "$SECRET" "through /proc/self/fd"
}

dr_05_symbolic_links()
{
    local i

    dr_setup '"~/rule-link" = "deny"' '"~/loop-a" = "deny"'
    mkdir "$HOME_A/elsewhere"
    echo "$SECRET" >"$HOME_A/elsewhere/target.txt"
    ln -s elsewhere/target.txt "$HOME_A/rule-link"
    ln -s loop-b "$HOME_A/loop-a"
    ln -s loop-a "$HOME_A/loop-b"
    ln -s ../secret.txt "$WS_A/chain0"
    for i in 1 2 3 4 5; do
        ln -s "chain$((i - 1))" "$WS_A/chain$i"
    done
    ln -s "$HOME_A/vault" "$WS_A/folder"
    ln -s "$HOME_A/vault/none" "$WS_A/dangling"
    ln -s loop "$WS_A/loop"
    chown -hR cordon-a: "$HOME_A"
    for i in chain0 chain5 folder/inner.txt folder/deep/er.txt dangling loop "$HOME_A/rule-link" \
        "$HOME_A/elsewhere/target.txt" "$HOME_A/loop-a"; do
        job cordon-a -- cat "$i"
        expect_denied "$SECRET" "$i" "$DENIAL|Too many levels"
    done
    job cordon-a -- sh -c 'echo x >dangling'
    expect_denied "$SECRET" "creating through a dangling link"
    job cordon-a -- sh -c "ln -s '$HOME_A/vault' mine && cat mine/inner.txt"
    expect_denied "$SECRET" "a link made by the job"
}

dr_06_aliases()
{
    local path

    echo "$SECRET" >/run/dr06.txt
    dr_setup '"/var/run/dr06.txt" = "deny"' '"/lib/os-release" = "deny"' '"/bin/fold" = "deny"'
    for path in /var/run/dr06.txt /run/dr06.txt /var/run/../run/dr06.txt; do
        job cordon-a -- cat "$path"
        expect_denied "$SECRET" "$path"
    done
    for path in /lib/os-release /usr/lib/os-release /etc/os-release; do
        job cordon-a -- cat "$path"
        expect_denied Debian "$path"
    done
    for path in /bin/fold /usr/bin/fold; do
        job cordon-a -- cat "$path"
        expect_denied ELF "$path"
        job cordon-a -- sh -c "$path --version"
        expect_denied coreutils "$path"
    done
    rm /run/dr06.txt
}

dr_20_two_jobs_of_one_user()
{
    local first pid seen

    dr_setup
    (job_run cordon-a "$WS_A" -- sh -c 'echo up >up; exec sleep 41.5' >/dev/null 2>&1) &
    first=$!
    wait_for "[ -e '$WS_A/up' ] && pgrep -f '^sleep 41.5' >/dev/null"
    pid=$(pgrep -f '^sleep 41.5')
    [ -n "$pid" ] || fail "the first job does not run"
    job cordon-a -- sh -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "'
    expect_ok
    [[ $OUT != *"sleep 41.5"* ]] || fail "the second job sees the first; $(got)"
    job cordon-a -- sh -c "ls /proc/$pid/root /proc/$pid/fd"
    [ "$RC" != 0 ] || fail "the second job reaches the first's /proc; $(got)"
    job cordon-a -- sh -c 'kill -9 -1; for p in /proc/[0-9]*; do ls $p/root/ >/dev/null 2>&1 && echo $p; done'
    seen=$(pgrep -f '^sleep 41.5')
    [ "$seen" = "$pid" ] || fail "the second job ended the first"
    kill "$(pgrep -f 'client/cordon.*sleep 41.5' | head -n 1)" 2>/dev/null
    kill -TERM "$pid" 2>/dev/null
    wait "$first"
    rm -f "$WS_A/up"
}

dr_26_managed_deny_wins()
{
    local path

    dr_setup '"~" = "write"' '"~/managed" = "write"' '"~/managed/inner.txt" = "read"' \
        '"~/exact.txt" = "write"' '"~/tree/k.pem" = "write"' '"~/tree/**" = "write"'
    mkdir -p "$HOME_A/managed" "$HOME_A/tree/sub"
    for path in managed/inner.txt exact.txt tree/k.pem tree/sub/l.pem; do
        echo "$SECRET" >"$HOME_A/$path"
    done
    echo free >"$HOME_A/tree/free.txt"
    chown -R cordon-a: "$HOME_A"
    managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$HOME_A/managed", "$HOME_A/exact.txt", "$HOME_A/**/*.pem"]
TOML
    for path in managed/inner.txt exact.txt tree/k.pem tree/sub/l.pem; do
        job cordon-a -- cat "$HOME_A/$path"
        expect_denied "$SECRET" "$path"
        job cordon-a -- sh -c "echo x >>'$HOME_A/$path'"
        expect_denied "$SECRET" "writing $path"
        grep -qx "$SECRET" "$HOME_A/$path" || fail "$path was changed"
        job cordon-a -s danger-full-access -- cat "$HOME_A/$path"
        expect_denied "$SECRET" "$path with full access"
    done
}

dr_28_denied_program_and_loader()
{
    local loader

    loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
    dr_setup '"/usr/bin/env" = "deny"'
    job cordon-a -- /usr/bin/env echo ran
    expect_refused '/usr/bin/env' "denied program"
    job cordon-a -- env echo ran
    expect_refused '/usr/bin/env' "denied program by PATH"
    printf '#!/usr/bin/env sh\necho ran\n' >"$WS_A/script"
    chmod 755 "$WS_A/script"
    job cordon-a -- ./script
    expect_refused '/usr/bin/env' "denied interpreter"
    dr_setup_again "\"$loader\" = \"deny\""
    job cordon-a -- echo ran
    expect_refused 'ld-linux' "denied loader"
    dr_setup_again '"/lib64/ld-linux-x86-64.so.2" = "deny"'
    job cordon-a -- echo ran
    expect_refused 'ld-linux' "denied loader by its link"
    dr_setup_again '"/" = "deny"'
    job cordon-a -- echo ran
    expect_refused '"/"' "denied root"
}

dr_setup_again()
{
    rm -rf "$HOME_A/vault" "$HOME_A/x"
    dr_setup "$@"
}
