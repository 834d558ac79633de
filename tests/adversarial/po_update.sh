# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Updates of the managed policy, and whom its rules concern.
CASES=(
    po_16_whole_generations:s po_17_every_parent:se po_18_reload:s po_19_selectors:se)

D=/etc/cordon/requirements.d

# A set of files as a ConfigMap has it: a folder of its own, with a rule in each file.
po_16_set()
{
    local file

    install -d -m 755 "$D/..$1"
    for file in a b c; do
        printf '[permissions.filesystem]\ndeny_read = ["%s/%s-%s"]\n' "$HOME_A" "$1" "$file" \
            >"$D/..$1/$file.toml"
        echo "$1-$file" >"$HOME_A/$1-$file"
    done
}

po_16_swap()
{
    ln -s "..$1" "$D/..data.new" && mv -T "$D/..data.new" "$D/..data"
}

# Each job reads either all files of one set and none of the other, or the reverse.
po_16_whole_generations()
{
    local file round swapper hashes set

    install -d -m 755 /etc/cordon "$D"
    po_16_set one
    po_16_set two
    chown -R cordon-a: "$HOME_A"
    po_16_swap one
    for file in a b c; do
        ln -s "..data/$file.toml" "$D/$file.toml"
    done
    restart_service
    po_16_try
    [ "$OUT" = two-a-two-b-two-c- ] || fail "the first set: $(got)"
    # A change alone, without a signal: the next job has it.
    po_16_swap two
    po_16_try
    [ "$OUT" = one-a-one-b-one-c- ] || fail "after the swap: $(got)"
    # Ends by itself, between two swaps: one that is cut off would leave its link behind.
    (while [ ! -e "$TOP/po-16-end" ]; do
        po_16_swap one
        sleep 0.0"$((RANDOM % 5))"
        po_16_swap two
        sleep 0.0"$((RANDOM % 5))"
    done) 2>/dev/null &
    swapper=$!
    for round in $(seq 30); do
        po_16_job
        case $OUT in
        two-a-two-b-two-c- | one-a-one-b-one-c-) ;;
        *) touch "$TOP/po-16-end"; fail "round $round, parts of two: $(got)" ;;
        esac
    done
    touch "$TOP/po-16-end"
    wait "$swapper" || fail "a swap"
    # Every start names its generation and the policy it had; one generation, one policy.
    service_log
    # (An entry of the journal has its fields in any order.)
    hashes=$(grep -a '"event":"start"' "$TOP/service.log" |
        sed 's/.*"generation":\([0-9]*\).*/\1 &/; s/ .*"policy":"\([0-9a-f]*\)".*/ \1/' | sort -u)
    [ "$(wc -l <"$TOP/service.log")" -ge 32 ] && ! grep -qv '^[0-9]* [0-9a-f]*$' <<<"$hashes" ||
        fail "records: $hashes"
    [ "$(wc -l <<<"$hashes")" -ge 2 ] || fail "no generations in the records: $hashes"
    [ "$(cut -d' ' -f1 <<<"$hashes" | uniq -d)" = "" ] || fail "a generation of two policies: $hashes"
    [ "$(cut -d' ' -f2 <<<"$hashes" | sort -u | wc -l)" = 2 ] || fail "not two policies: $hashes"
    # A set that is not there keeps the last good one in force.
    po_16_swap one
    po_16_try
    po_16_swap gone
    po_16_try
    [ "$OUT" = two-a-two-b-two-c- ] || fail "a broken set: $(got)"
    run "$CORDON" status
    expect_out "the latest update is broken: $D/a.toml: a link that leads nowhere" "status"
}

# One whose policy is replaced again and again is refused, and says so.
po_16_job()
{
    local tries

    for tries in 1 2 3 4 5; do
        po_16_try
        [ "$RC" = 125 ] && [ "$tries" != 5 ] && grep -q 'the managed policy has changed' <<<"$ERR" || break
    done
}

po_16_try()
{
    job cordon-a -- sh -c 'cd "$0" && cat one-a one-b one-c two-a two-b two-c | tr "\n" -' "$HOME_A"
}

# Also where the way leads over links: every folder on it must be root's, and root's alone.
po_17_every_parent()
{
    local way change

    po_secret
    way=$TOP/way/to/policy
    install -d -m 755 "$way" /etc/cordon "$D"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" >"$way/10.toml"
    ln -s "$TOP/way" "$TOP/alias"
    ln -s "$TOP/alias/to/policy/10.toml" "$D/10.toml"
    restart_service
    job cordon-a -- cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "over links of root's"
    for change in "chmod 775 $TOP/way; chgrp cordon-a $TOP/way" "chown cordon-a $TOP/way" \
        "chmod 777 $TOP/way/to" "chown cordon-b $way" "chmod 666 $way/10.toml" \
        "chown -h cordon-a $TOP/alias" "chown -h cordon-a $D/10.toml" "chmod 777 $D" \
        "chmod 777 /etc/cordon"; do
        chown -hR root: "$TOP/way" "$TOP/alias" /etc/cordon
        chmod -R u=rwX,go=rX "$TOP/way" /etc/cordon
        restart_service
        job cordon-a -- cat "$HOME_A/secret.txt"
        expect_denied "$SECRET" "the control"
        eval "$change"
        restart_service
        po_all_refused '/etc/cordon/(requirements|fetch.toml)' "$change"
        [ "$CORDON_MODE" = service ] || continue
        run "$CORDON" reload
        expect_rc 1 "reload after $change"
        expect_err 'no generation in force, every job is refused: .*/etc/cordon/' "reload"
    done
    rm -rf "$TOP/way" "$TOP/alias"
}

# By signal, by verb, by a change alone; a running job keeps what it was started with.
po_18_reload()
{
    local client

    po_secret
    install -d -m 755 /etc/cordon
    restart_service
    (cd "$WS_A" && job_run cordon-a "$WS_A" -s workspace-write -- sh -c \
        'while [ ! -e go ]; do sleep 0.02; done; cat "$0"; exit 5' "$HOME_A/secret.txt" >"$TOP/.first" 2>&1) &
    client=$!
    wait_for "as_user cordon-a '$CORDON' ps | grep -q 'sh -c'"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" >"$CORDON_FILE"
    run "$CORDON" reload
    expect_ok "reload"
    [ "$OUT" = "generation 2, 1 file" ] || fail "reload: $(got)"
    printf '[permissions.filesystem]\ndeny_read = ["%s", "/srv/x"]\n' "$HOME_A/secret.txt" >"$CORDON_FILE"
    kill -HUP "$SERVICE_PID"
    wait_for "service_log; grep -q 'generation 3, 1 files' '$TOP/service.log'"
    job cordon-a -- cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "the next job"
    run as_user cordon-a "$CORDON" ps --json
    expect_out '"generation":1,' "the older job"
    printf 'oops = [\n' >"$CORDON_FILE"
    run "$CORDON" reload --json
    expect_rc 1 "a broken update"
    expect_out '{"ok":false,"generation":3,"files":1,"refused":false,"error":{"text":"/etc/cordon/requirements.toml:1:'
    service_log
    grep -q '"event":"alarm"' "$TOP/service.log" || fail "no alarm"
    job cordon-a -- cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "the last good one"
    touch "$WS_A/go"
    wait "$client"
    [ $? = 5 ] || fail "the running job was lost: $(cat "$TOP/.first")"
    rm -f "$WS_A/go"
}

po_19_selectors()
{
    local row selector whom name

    po_secret
    chmod 644 "$HOME_A/secret.txt"
    name=$(uname -n)
    for row in "|ab" "users = [\"cordon-a\"]|a" "users = [\"cordon-b\", \"root\"]|b" "users = []|" \
        "groups = [\"cordon-extra\"]|a" "groups = [\"cordon-b\"]|b" "groups = [\"wheel\"]|" \
        "hosts = [\"$name\"]|ab" "hosts = [\"${name:0:1}*\"]|ab" "hosts = [\"other-*\"]|" \
        "users = [\"cordon-a\"]\nhosts = [\"other-*\"]|" \
        "users = [\"cordon-b\"]\ngroups = [\"cordon-extra\"]|ab"; do
        selector=${row%|*} whom=${row##*|}
        printf '[[cordon.rule]]\n%b\ndeny_read = ["%s"]\n' "$selector" "$HOME_A/secret.txt" |
            managed_cordon
        for user in a b; do
            job "cordon-$user" -- cat "$HOME_A/secret.txt"
            case $whom in
            *$user*) expect_denied "$SECRET" "$selector, $user" ;;
            *) expect_out "$SECRET" "$selector does not concern $user" ;;
            esac
        done
    done
}
