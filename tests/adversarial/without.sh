# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# run --without=LAYER: the cases without one layer, against the table without.txt. What is listed
# must fail, in the way it is listed; everything else must pass. Needs a build that can leave a
# layer out (preset "without"), next to CORDON_BUILD or in CORDON_WITHOUT_BUILD.

WITHOUT_FILE=/run/cordon-without
WITHOUT_TABLE=$HERE/without.txt
WITHOUT_SEEN=()

# What doctor says where the layer is in force; which modes have it.
declare -A WITHOUT_DOCTOR=(
    [bpf]='bpf: it works'
    [fanotify]='"access-time decision","state":"ok","evidence":"fanotify'
    [mask]='"mount descriptors","state":"ok"'
    [landlock]='"landlock","state":"ok"'
    [seccomp]='"seccomp","state":"ok"')
declare -A WITHOUT_MODES=([bpf]=service [fanotify]=service)

without_refuse()
{
    echo "--without=$WITHOUT: $*" >&2
    exit 1
}

# Before the namespaces: which programs.
without_build()
{
    [ -n "${WITHOUT_DOCTOR[$WITHOUT]:-}" ] || without_refuse "the layers are ${!WITHOUT_DOCTOR[*]}"
    [[ $MODES = *${WITHOUT_MODES[$WITHOUT]:-}* ]] || without_refuse "not in force in mode $MODES"
    MODES=${WITHOUT_MODES[$WITHOUT]:-$MODES}
    # What a policy says is not what a layer holds.
    [ ${#WANTED[@]} -gt 0 ] || WANTED=(dr mt nw id lg)
    [ -z "${CORDON_PROBES:-}" ] || return 0
    export CORDON_PROBES=$CORDON_BUILD/tests/adversarial/probes
    CORDON_BUILD=${CORDON_WITHOUT_BUILD:-$(dirname "$CORDON_BUILD")/without}
    grep -qs "$WITHOUT_FILE" "$CORDON_BUILD/platform/linux/cordon-init" ||
        without_refuse "$CORDON_BUILD is not built with CORDON_TEST_WITHOUT"
}

without_begin()
{
    "$CORDON" doctor --json | grep -qF "${WITHOUT_DOCTOR[$WITHOUT]}" ||
        without_refuse "not in force here: $("$CORDON" doctor | grep -F "access-time decision")"
    echo "$WITHOUT" >"$WITHOUT_FILE"
}

# The row of case $1 in mode $2 as "TEXT|REASON"; empty: there is none.
without_row()
{
    awk -F ' *[|] *' -v layer="$WITHOUT" -v id="$1" -v mode="$2" \
        '$1 == layer && index(" " $2 " ", " " id " ") && index(" " $3 " ", " " mode " ") {print $4 "|" $5}' \
        "$WITHOUT_TABLE"
}

# Turns the outcome of case $1 into that of the run; sets word and detail of report().
without_judge()
{
    local row

    row=$(without_row "$1" "$CORDON_MODE")
    WITHOUT_SEEN+=("$1.$CORDON_MODE")
    case "$word.${row:+listed}" in
    PASS.listed) word=FAIL detail="passes without $WITHOUT, and must not: ${row#*|}" ;;
    FAIL.) detail="fails without $WITHOUT, and is not in the table: $detail" ;;
    FAIL.listed)
        if [[ $detail = *"${row%%|*}"* ]]; then
            word=PASS detail="fails without $WITHOUT: ${row#*|}"
        else
            detail="fails without $WITHOUT, but not by \"${row%%|*}\": $detail"
        fi
        ;;
    esac
}

# Every row that was asked for belongs to a case.
without_end()
{
    local ids id modes mode

    while IFS='|' read -r ids modes; do
        for id in $ids; do
            wanted "$(tr 'A-Z-' 'a-z_' <<<"$id")" || continue
            for mode in $modes; do
                [[ " $MODES unit " = *" $mode "* ]] || continue
                [[ " ${WITHOUT_SEEN[*]} " = *" $id.$mode "* ]] && continue
                echo "FAIL $id $mode is in the table, and no such case ran"
                BAD=1
            done
        done
    done < <(awk -F ' *[|] *' -v layer="$WITHOUT" '$1 == layer {print $2 "|" $3}' "$WITHOUT_TABLE")
}
