# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# The frame of every bench of the product. NAME.sh sources this, takes its options, and calls
# bench_enter "$@"; what support/service.sh has is there as well.
#
#   HERE     this folder
#   BENCH    that of the programs, after bench_enter

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../support/service.sh"

# options TABLE ARGUMENT...: sets the variables that TABLE ("--rounds=ROUNDS --files=FILES") names.
# What else there is gets the usage, as the script's own first lines say it.
options()
{
    local table=" $1 " variable

    shift
    while [ $# -gt 0 ]; do
        variable=${table##* "$1"=}
        if [ "$variable" = "$table" ] || [ $# = 1 ]; then
            sed -n 's/^# \([a-z-]*\.sh \[[^:]*\):.*/usage: \1/p' "$0" >&2
            exit 2
        fi
        printf -v "${variable%% *}" %s "$2"
        shift 2
    done
}

bench_enter()
{
    harness_enter "$@"
    BENCH=$CORDON_BUILD/tests/bench
}

# line NAME WORD...: one contender, as contender.h says.
line()
{
    local IFS=$'\t'

    printf '%s\n' "$*"
}

# rules COUNT: rules of the corpus, for a table of a configuration.
rules()
{
    [ "$1" = 0 ] || "$BENCH/bench_rules" "$1" | sort -u
}

# config NAME [LINE...]: $HOME_A/config-NAME, for CODEX_HOME: a profile that extends :workspace by the
# rules on standard input, below the LINEs.
config()
{
    local dir=$HOME_A/config-$1

    install -d -o cordon-a -g cordon-a "$dir"
    {
        printf '%s\n' 'default_permissions = "bench"' "${@:2}" '[permissions.bench]' \
            'extends = ":workspace"' '[permissions.bench.filesystem]'
        cat
    } >"$dir/config.toml"
}

# all_below PID: it and everything below it.
all_below()
{
    local pid

    echo "$1"
    for pid in $(pgrep -P "$1"); do
        all_below "$pid"
    done
}
