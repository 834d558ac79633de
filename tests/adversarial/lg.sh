# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Records and limits: what a job leaves, and what its status says.
CASES=(lg_07_no_artefact_ever:se lg_08_exit_statuses:se)

# A git work tree with the protected names absent and one present, watched.
lg_07_no_artefact_ever()
{
    local before status pid

    as_user cordon-a sh -c "cd '$WS_A' && git init -q . && git config user.email a@example.com &&
        git config user.name a && echo 1 >tracked && git add tracked && git commit -qm one && mkdir d"
    user_config cordon-a <<'TOML'
default_permissions = "dev"
[permissions.dev]
extends = ":workspace"
[permissions.dev.filesystem.":workspace_roots"]
"**/.env" = "deny"
"absent.txt" = "deny"
"no/such/dir" = "deny"
".npmrc" = "deny"
TOML
    before=$(tree "$WS_A")
    "$PROBES/watch_tree" "$WS_A" "$TOP/watch" &
    pid=$!
    wait_for "grep -q ready '$TOP/watch' 2>/dev/null"
    job cordon-a -- sh -c 'ls -la >/dev/null; git status --porcelain'
    expect_ok
    [ -z "$OUT" ] || fail "git status inside: $OUT"
    job cordon-a -s workspace-write -- true
    job cordon-a -s read-only -- false
    lg_killed_job cordon 'sleep 43.5'
    lg_killed_job cordond 'sleep 44.5'
    expect_same_tree "$WS_A" "$before"
    kill "$pid"
    wait "$pid" 2>/dev/null
    status=$(as_user cordon-a git -C "$WS_A" status --porcelain --ignored)
    [ -z "$status" ] || fail "git status after: $status"
    [ "$(cat "$TOP/watch")" = ready ] || fail "seen in the work tree: $(tail -n +2 "$TOP/watch")"
    rm -f "$TOP/watch"
}

# A job that sleeps, its client or its broker killed; then it must be gone.
lg_killed_job()
{
    local job

    (job_run cordon-a "$WS_A" -- $2 >/dev/null 2>&1) &
    job=$!
    wait_for "pgrep -f '^$2' >/dev/null"
    if [ "$1" = cordond ] && [ "$CORDON_MODE" = service ]; then
        kill -KILL "$SERVICE_PID"
        wait "$SERVICE_PID" 2>/dev/null
    elif [ "$1" = cordond ]; then
        kill -KILL "$(pgrep -f 'cordond --embedded' | head -n 1)"
    else
        kill -KILL "$(pgrep -f "^[^ ]*client/cordon .*$2" | head -n 1)"
    fi
    wait_for "! pgrep -f '^$2' >/dev/null"
    wait "$job" 2>/dev/null
    if [ "$1" = cordond ] && [ "$CORDON_MODE" = service ]; then
        SERVICE_PID=
        rm -f /run/cordon/cordond.sock
        start_service
    fi
}

lg_08_exit_statuses()
{
    local n

    # The shells that count run as the user: the start of setpriv is not what is measured.
    run lg_loop 'for n in $(seq 0 255); do "$C" sandbox linux -- sh -c "exit $n"; [ $? = $n ] || echo "exit $n: $?"; done'
    [ -z "$OUT" ] || fail "$OUT"
    run lg_loop 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 34 50 64; do
        "$C" sandbox linux -- sh -c "kill -$n \$\$; sleep 5"; r=$?; [ $r = $((128 + n)) ] || echo "signal $n: $r"; done'
    [ -z "$OUT" ] || fail "$OUT"
    job cordon-a -- no-such-command
    expect_rc 127 "not found"
    job cordon-a -- /no/such/command
    expect_rc 127 "not found by path"
    job cordon-a -- ./tracked-nothing
    expect_rc 127 "not found, relative"
    echo text >"$WS_A/text"
    job cordon-a -- ./text
    expect_rc 126 "not executable"
    job cordon-a -- /etc
    expect_rc 126 "a directory"
    printf '#!/no/such/interpreter\n' >"$WS_A/script"
    chmod 755 "$WS_A/script"
    job cordon-a -- ./script
    [ "$RC" = 126 ] || [ "$RC" = 127 ] || fail "a missing interpreter: $(got)"
    job cordon-a -C "$TOP/no-such" -- true
    expect_rc 125 "set-up failure"
    job cordon-a -P no-such -- true
    expect_rc 125 "no such profile"
    job cordon-a --timeout 1 -- sleep 60
    expect_rc 124 "a timeout"
    for n in "sandbox linux" "--no-such" "sandbox linux --no-such -- true" "nosuch" "sandbox macos -- true" \
        "sandbox windows -- true"; do
        # shellcheck disable=SC2086
        run as_user cordon-a "$CORDON" $n
        expect_rc 2 "$n"
        [ -z "$OUT" ] || fail "$n: printed on stdout: $OUT"
    done
    rm -f "$WS_A/text" "$WS_A/script"
}

lg_loop()
{
    cd "$WS_A" && as_user cordon-a C="$CORDON" sh -c "$1"
}
