# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# MT-23: the n-th system call of a program of the product fails, n = 1, 2, ...
# The command is a probe that says whether it is confined. What may come out:
# a confined command and 0, or 125 with one line from cordon; and nothing stays.
# The everyday run makes every third call of cordon-init fail once, another third
# each time, and samples the supervisor and the worker; CORDON_TORTURE=full takes
# every call and error.

# ENOMEM EMFILE ENOSPC EINTR EPERM
TORTURE_ERRNOS=(12 24 28 4 1)
TORTURE_AHEAD=
# As that user, without a program of ours between; HOME is for the caller to add.
TORTURE_USER=(setpriv --reuid=cordon-a --regid=cordon-a --init-groups env -i PATH=/usr/bin:/bin)

# torture_run PROGRAM N ERRNO|kill|HOOK: one job; FIRED is the call's number. False: there are fewer.
torture_run()
{
    local command=("$CORDON" sandbox linux -- "$PROBES/probe_confined" "${TORTURE_DENIED[@]}"
        "${TORTURE_LIMITS[@]}")

    if [ -n "$TORTURE_AHEAD" ]; then
        # The call may be one of the first job, of what is made ahead after it, or of the second.
        command=(sh -c '"$0" sandbox linux -- true; sleep 0.15; exec "$@"' "$CORDON" "${command[@]}")
    fi
    if [ "$CORDON_MODE" = service ]; then
        no_spares # what was made ahead of time was not traced
    fi
    run torture_traced "$1" "$2" "$3" "${command[@]}"
    FIRED=$(cat "$TOP/.fired")
    [ "$FIRED" != none ]
}

torture_once()
{
    torture_run "$@" || return 0
    torture_judge "call $2 of $1 (number $FIRED) with $3"
}

# torture_traced PROGRAM N ERRNO|kill|HOOK CMD...: CMD as the user, with the service traced, or CMD
# itself where there is none.
torture_traced()
{
    local attach=()

    [ "$CORDON_MODE" != service ] || attach=(-p "$SERVICE_PID")
    cd "$WS_A" || return 70
    timeout -k 1 20 "$PROBES/inject" "$1" "$2" "$3" "$TOP/.fired" "${attach[@]}" -- \
        "${TORTURE_USER[@]}" HOME="$HOME_A" "${@:4}"
}

# What may come out, of RC and OUT: 0 only with a confined command; and 125 with one line.
torture_confined()
{
    [[ $OUT != *UNCONFINED* ]] || fail "$1: $OUT"
    [ "$RC" != 0 ] || [[ $OUT == confined* ]] || fail "$1: 0, but no confined command; $(got)"
}

torture_refused()
{
    [ "$(grep '^cordon: ' <<<"$ERR" | grep -vc 'holds\? for what exists')" = 1 ] ||
        fail "$1: not one line; $(got)"
}

torture_judge()
{
    torture_confined "$1"
    case $RC in
    0) ;;
    # After the set-up: init could no longer watch the command, and took it down.
    # (read, write, wait4: its loop and its reports.)
    137) [[ " 0 1 61 " == *" $FIRED "* ]] || fail "$1: killed during the set-up; $(got)" ;;
    125) torture_refused "$1" ;;
    *) fail "$1: $(got)" ;;
    esac
}

# torture PROGRAM STEP: every STEP-th call, the errors in turn (all with CORDON_TORTURE=full).
torture()
{
    local n step=$2 error errors

    n=$((1 + RANDOM % step))
    [ "${CORDON_TORTURE:-}" != full ] || n=1
    while :; do
        errors=("${TORTURE_ERRNOS[n % ${#TORTURE_ERRNOS[@]}]}")
        [ "${CORDON_TORTURE:-}" = full ] && errors=("${TORTURE_ERRNOS[@]}") step=1
        for error in "${errors[@]}"; do
            torture_once "$1" "$n" "$error"
            [ "$FIRED" != none ] || return 0
            torture_service_lives "call $n of $1 with $error"
        done
        n=$((n + step))
        [ "$n" -lt 5000 ] || fail "$1: no end of its calls"
    done
}

# The supervisor may refuse a job; it may not end. A worker that ended is replaced.
torture_service_lives()
{
    [ "$CORDON_MODE" = service ] || return 0
    if [ "$1" != "${1/of cordond/}" ]; then
        kill -0 "$SERVICE_PID" 2>/dev/null || fail "$1: ends the service"
    fi
}

# A limit of each way that there is: on the command, and on its control group.
torture_limits()
{
    TORTURE_LIMITS=(files=77)
    printf '[cordon.limits]\nopen_files = 77\n'
    if [ -n "$SERVICE_GROUP" ]; then
        TORTURE_LIMITS+=(memory=$((512 << 20)))
        printf 'memory_mib = 512\n'
    fi
}

# What each way of denying covers: an exact rule, patterns for a file and a folder, in the
# service the other link of a match, and a socket of the host.
torture_setup()
{
    TORTURE_DENIED=("$HOME_A/denied" "$WS_A/one/two/k.pem" "$WS_A/one/keys/inner")
    mkdir -p "$WS_A/one/two" "$WS_A/one/keys"
    echo hidden | tee "${TORTURE_DENIED[@]}" >/dev/null
    if [ "$CORDON_MODE" = service ]; then
        ln "$WS_A/one/two/k.pem" "$WS_A/earlier"
        TORTURE_DENIED+=("$WS_A/earlier")
    fi
    /usr/bin/python3 -c 'import os, socket, sys, time
one = socket.socket(socket.AF_UNIX); one.bind(sys.argv[1]); one.listen(999); os.chmod(sys.argv[1], 0o777)
time.sleep(9999)' "$WS_A/service" &
    TORTURE_HELPER=$!
    wait_for "[ -S '$WS_A/service' ]"
    TORTURE_DENIED+=("$WS_A/service")
    chown -R cordon-a: "$HOME_A"
    {
        printf '[permissions.filesystem]\ndeny_read = ["%s", "%s/**/*.pem", "%s/**/keys"]\n' \
            "$HOME_A/denied" "$WS_A" "$WS_A"
        torture_limits
    } >"$TOP/torture.toml"
    managed_codex <"$TOP/torture.toml"
    run as_user cordon-a "$PROBES/probe_confined" "${TORTURE_DENIED[@]}"
    [ "$(grep -o readable <<<"$OUT" | wc -l)" = "${#TORTURE_DENIED[@]}" ] || fail "outside: $(got)"
    job cordon-a -- "$PROBES/probe_confined" "${TORTURE_DENIED[@]}" "${TORTURE_LIMITS[@]}"
    expect_ok "without a failure"
}

torture_end()
{
    kill "$TORTURE_HELPER"
    wait "$TORTURE_HELPER" 2>/dev/null
    job cordon-a -- "$PROBES/probe_confined" "${TORTURE_DENIED[@]}" "${TORTURE_LIMITS[@]}"
    expect_ok "afterwards"
    rm -f "$WS_A/service"
    expect_clean
}

mt_23_each_system_call_fails_once()
{
    torture_setup
    torture cordon-init 3
    if [ "$CORDON_MODE" = service ]; then
        torture cordon-worker 9
        torture cordond 9
    else
        torture cordon-embedded 7
    fi
    if [ "$CORDON_MODE" = service ]; then
        TORTURE_AHEAD=1
        torture cordon-init 41
        TORTURE_AHEAD=
    fi
    torture_end
}
