# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# The peers of the benches; sourced after lib.sh. Each gives the view of cordon's
# workspace-write as nearly as its options allow: everything read-only but the workspace (and, for
# Codex and cordon, /tmp), no network. peers_find tries each once; what is not there, does not run
# here or does not hold what it is asked to is told as absent with the reason, never measured.
#
#   PEERS     names that can be measured
#   ABSENT    "NAME: why" of the others
#   peer_words NAME    its command line, a word a line, without the job's own

PEERS_ALL=(bwrap codex minijail0 nsjail firejail sandbox-runtime)
PEERS_CACHE=${PEERS_CACHE:-}

# Before harness_enter: there is no HOME and may be no cache in the place that it makes.
peers_where()
{
    PEERS_CACHE=$(bash "$CORDON_SOURCE/tests/bench/peers/install" --where) || PEERS_CACHE=/nonexistent
    export PEERS_CACHE
}

# Where ordinary users reach it, whoever's the cache is.
peers_begin()
{
    local reached=$TOP/peers binary

    PEER_CODEX='' PEER_SRT=''
    [ -d "$PEERS_CACHE/node_modules" ] || return 0
    mkdir "$reached" && mount --bind "$PEERS_CACHE" "$reached" || return 1
    for binary in "$reached"/node_modules/@openai/codex-linux-*/vendor/*/bin/codex; do
        [ -x "$binary" ] && PEER_CODEX=$binary
    done
    PEER_SRT=$reached/node_modules/@anthropic-ai/sandbox-runtime/dist/cli.js
    printf '{"network": {"allowedDomains": [], "deniedDomains": []},
 "filesystem": {"denyRead": [], "allowWrite": ["%s"], "denyWrite": []}}\n' "$WS_A" >"$TOP/srt.json"
}

# What it is run by; empty: not there.
peer_program()
{
    case "$1" in
    codex) printf '%s' "$PEER_CODEX" ;;
    sandbox-runtime) [ -z "$PEER_SRT" ] || command -v node ;;
    *) command -v "$1" ;;
    esac
}

peer_words()
{
    local program

    program=$(peer_program "$1")
    [ -n "$program" ] || return 1
    printf '%s\n' "$program"
    case "$1" in
    bwrap) sed -e '/^#/d' -e "s|@WS@|$WS_A|; s|@FD@|9|" "$CORDON_SOURCE/tests/bench/peers/bwrap.args" ;;
    codex) printf '%s\n' sandbox -c 'sandbox_mode="workspace-write"' -- ;;
    minijail0)
        printf '%s\n' -U -m -M -p -v -e -N -l -n -r -P / -b /,/ -b "$WS_A,$WS_A,1" -- ;;
    nsjail)
        printf '%s\n' -Mo -Q --disable_rlimits -R / -B "$WS_A" -T /dev/shm --cwd "$WS_A" -- ;;
    firejail)
        printf '%s\n' --quiet --noprofile --read-only=/ --read-write="$WS_A" --net=none --private-dev \
            --caps.drop=all --nonewprivs --seccomp -- ;;
    sandbox-runtime) printf '%s\n' "$PEER_SRT" --settings "$TOP/srt.json" ;;
    esac
}

# peer_run NAME CMD...: as the bench's user would; bwrap is handed its filter.
peer_run()
{
    local words

    mapfile -t words < <(peer_words "$1")
    run peer_at "${words[@]}" "${@:2}"
}

peer_at()
{
    cd "$WS_A" && as_user cordon-a bash -c 'exec 9<"$0"; exec timeout 20 "$@"' "$TOP/filter" "$@"
}

# Writes what the peer does not hold, or nothing.
peer_fault()
{
    local want

    peer_run "$1" "$CORDON_SOURCE/tests/bench/probe_view.sh" "$WS_A" "$HOME_A/outside"
    for want in 'outside: read-only' 'write root: writable' 'root: readable' 'interfaces: lo '; do
        grep -qx "$want" <<<"$OUT" && continue
        printf 'not "%s": %s' "$want" "$(tr '\n' ';' <<<"$OUT $ERR" | cut -c 1-300)"
        return 0
    done
    peer_run "$1" "$BENCH/true_nolibc"
    [ "$RC" = 0 ] || printf 'status %s of true: %.300s' "$RC" "$ERR"
}

peers_find()
{
    local name fault

    PEERS=() ABSENT=()
    "$BENCH/peer_filter" >"$TOP/filter" || return 1
    : >"$HOME_A/outside"
    chown cordon-a: "$HOME_A/outside"
    peers_begin || return 1
    for name in "${PEERS_ALL[@]}"; do
        if [ -z "$(peer_program "$name")" ]; then
            ABSENT+=("$name: not installed")
            continue
        fi
        fault=$(peer_fault "$name")
        if [ -n "$fault" ]; then
            ABSENT+=("$name: does not run here as it should: $(tr '\t\n"\\' '    ' <<<"$fault")")
        else
            PEERS+=("$name")
        fi
    done
}

# peer_line NAME COMMAND [WORD...]: for contender.h.
peer_line()
{
    local IFS=$'\t' words

    mapfile -t words < <(peer_words "$1")
    [ "$1" != bwrap ] || set -- "$@" "fd:9=$TOP/filter"
    printf '%s\n' "$1"$'\t'"${words[*]}"$'\t'"${*:2}"
}
