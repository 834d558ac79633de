# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Policy: a bad policy is an error that says where, and nothing loosens a good one.
CASES=(
    po_01_malformed_toml:se po_02_misspelt_keys:se po_03_odd_files:se po_04_bad_patterns:se
    po_05_writable_by_others:se po_06_not_a_file:se po_08_nothing_loosens:se
    po_09_three_layers_union:se po_10_whose_home:se po_11_matchers_agree:u
    po_12_no_blow_up:u po_15_sandbox_modes:se)

SECRET=the-content-nobody-may-see
CODEX_FILE=/etc/codex/requirements.toml
CORDON_FILE=/etc/cordon/requirements.toml

po_secret()
{
    echo "$SECRET" >"$HOME_A/secret.txt"
    chown cordon-a: "$HOME_A/secret.txt"
}

# Every job of both users is refused, with FILE:LINE:COLUMN or another reason.
po_all_refused()
{
    local user

    for user in cordon-a cordon-b; do
        job "$user" -- cat "$HOME_A/secret.txt"
        expect_refused "$1" "$2 ($user)"
        job "$user" -s danger-full-access -- cat "$HOME_A/secret.txt"
        expect_refused "$1" "$2 (full access, $user)"
    done
}

po_01_malformed_toml()
{
    po_secret
    printf '[permissions.filesystem]\ndeny_read = ["/x"\n[oops\n' | managed_codex
    po_all_refused "$CODEX_FILE:[23]:[0-9]+" "codex's file"
    rm -rf /etc/codex
    printf 'x = = 1\n' | managed_cordon
    po_all_refused "$CORDON_FILE:1:[0-9]+" "the own file"
    rm "$CORDON_FILE"
    printf '\n\nx = "\n' | managed_cordon requirements.d/20-extra.toml
    po_all_refused "20-extra.toml:3:[0-9]+" "requirements.d"
    rm -rf /etc/cordon
    restart_service
    job cordon-a -- true
    expect_ok "without managed files"
    printf 'sandbox_mode = "read-only"\n[oops\n' | user_config cordon-a
    job cordon-a -- cat "$HOME_A/secret.txt"
    expect_refused 'config.toml:2:[0-9]+' "the user's file"
    job cordon-b -- true
    expect_ok "the other user"
}

po_02_misspelt_keys()
{
    po_secret
    printf '[permissions.filesystem]\ndeny_raed = ["%s"]\n' "$HOME_A/secret.txt" | managed_codex
    po_all_refused "$CODEX_FILE:2:[0-9]+.*deny_raed.*deny_read" "deny_raed"
    printf 'deny_read = ["%s"]\n' "$HOME_A/secret.txt" | managed_codex
    po_all_refused "$CODEX_FILE:1:[0-9]+.*deny_read" "a key in the wrong table"
    rm -rf /etc/codex
    printf '[cordon]\nminimum_enforcment = "kernel"\n' | managed_cordon
    po_all_refused "$CORDON_FILE:2:[0-9]+.*minimum_enforcement" "minimum_enforcment"
    rm -rf /etc/cordon
    restart_service
    for text in '"~/secret.txt" = "dney"' '"~/secret.txt" = true' '":rooot" = "read"' \
        'glob_scan_max_dept = 3'; do
        printf 'default_permissions = "dev"\n[permissions.dev]\n[permissions.dev.filesystem]\n%s\n' \
            "$text" | user_config cordon-a
        job cordon-a -- cat "$HOME_A/secret.txt"
        expect_refused 'config.toml:4:[0-9]+' "$text"
    done
    printf 'default_permissions = "dev"\n[permissions.dev]\nextend = ":workspace"\n' |
        user_config cordon-a
    job cordon-a -- true
    expect_refused 'config.toml:3:[0-9]+.*extends' "extend"
}

# Writes odd contents; NAME selects.
po_odd()
{
    local good="[permissions.filesystem]\ndeny_read = [\"$HOME_A/secret.txt\"]\n"

    case $1 in
    wrong-type) printf '[permissions.filesystem]\ndeny_read = 7\n' ;;
    wrong-item) printf '[permissions.filesystem]\ndeny_read = [["x"]]\n' ;;
    not-a-table) printf 'permissions = "x"\n' ;;
    duplicate-key) printf "${good}deny_read = []\n" ;;
    duplicate-table) printf "${good}[permissions.filesystem]\n" ;;
    bom) printf '\xef\xbb\xbf' && printf "$good" ;;
    crlf) printf "$good" | sed 's/$/\r/' ;;
    large) printf "$good" && yes '# filler' | head -c 10485760 ;;
    deep) printf 'x = ' && printf '[%.0s' $(seq 20000) && printf ']%.0s' $(seq 20000) && echo ;;
    deep-key) printf 'a%.0s.' $(seq 1) && printf 'a.%.0s' $(seq 50000) && printf 'a = 1\n' ;;
    nul) printf "$good" && printf 'x = "\0"\n' ;;
    bad-utf8) printf "$good" && printf '# \xff\xfe\nx = "\xc3\x28"\n' ;;
    zeros) head -c 4096 /dev/zero ;;
    empty) : ;;
    esac
}

po_03_odd_files()
{
    local kind

    po_secret
    for kind in wrong-type wrong-item not-a-table duplicate-key duplicate-table bom crlf large \
        deep deep-key nul bad-utf8 zeros; do
        po_odd "$kind" | managed_codex
        job cordon-a -- cat "$HOME_A/secret.txt"
        [[ $OUT$ERR != *"$SECRET"* ]] || fail "managed $kind: the content shows"
        case $kind in
        # Both are TOML: the rule must hold.
        bom | crlf) [ "$RC" != 0 ] || fail "managed $kind: $(got)" ;;
        *) expect_refused 'requirements.toml' "managed $kind" ;;
        esac
    done
    rm -rf /etc/codex
    restart_service
    for kind in wrong-type large deep deep-key nul bad-utf8 zeros duplicate-table; do
        po_odd "$kind" | user_config cordon-a
        job cordon-a -- true
        expect_refused 'config.toml' "the user's $kind"
    done
    : | user_config cordon-a
    job cordon-a -- true
    expect_ok "an empty file"
}

po_04_bad_patterns()
{
    local entry long

    po_secret
    long=/$(head -c 6000 /dev/zero | tr '\0' x)
    for entry in '' '[a' '~nosuch/x' '{a' '/x/[a' '/x/{a' '/x\\' '/a\u0000b' "$long"; do
        printf '[permissions.filesystem]\ndeny_read = ["%s", "%s"]\n' "$HOME_A/secret.txt" \
            "$entry" | managed_codex
        job cordon-a -- cat "$HOME_A/secret.txt"
        expect_refused "$CODEX_FILE:2:[0-9]+" "entry '${entry:0:20}'"
        # The entry is named: by its text or by its place in the list.
        [[ $ERR == *"${entry:0:12}"* && -n $entry || $ERR == *'deny_read[1]'* || $ERR == *empty* ||
            $ERR == *NUL* || $ERR == *'\'* ]] || fail "entry '${entry:0:20}' is not named; $(got)"
    done
    rm -rf /etc/codex
    restart_service
    for entry in '/x/[a' '~nosuch/x' '/x/{a' 'relative/x' '/x/*.pem" = "write" #'; do
        printf 'default_permissions = "dev"\n[permissions.dev.filesystem]\n"%s" = "deny"\n' \
            "$entry" | user_config cordon-a
        job cordon-a -- true
        expect_refused 'config.toml:3:[0-9]+' "the user's '$entry'"
    done
}

po_05_writable_by_others()
{
    po_secret
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" | managed_codex
    job cordon-a -- cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "the control"
    for change in "chmod 666 $CODEX_FILE" "chmod 664 $CODEX_FILE;chgrp cordon-a $CODEX_FILE" \
        "chown cordon-a $CODEX_FILE" "chmod 777 /etc/codex" "chown cordon-b /etc/codex" \
        "chmod 1777 /etc/codex"; do
        chown root:root /etc/codex "$CODEX_FILE"
        chmod 755 /etc/codex && chmod 644 "$CODEX_FILE"
        eval "$change"
        restart_service
        po_all_refused '/etc/codex' "$change"
    done
    rm -rf /etc/codex
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/secret.txt" |
        managed_cordon requirements.d/10.toml
    chmod 777 /etc/cordon/requirements.d
    restart_service
    po_all_refused 'requirements.d' "a writable requirements.d"
}

po_06_not_a_file()
{
    local make began

    po_secret
    for make in "ln -s none $CODEX_FILE" "mkdir $CODEX_FILE" "mkfifo $CODEX_FILE" \
        "mknod $CODEX_FILE c 1 5" "ln -s /dev/zero $CODEX_FILE" "ln -s $CODEX_FILE $CODEX_FILE"; do
        rm -rf /etc/codex
        install -d -m 755 /etc/codex
        eval "$make"
        began=$SECONDS
        restart_service
        po_all_refused '/etc/codex/requirements.toml' "$make"
        [ $((SECONDS - began)) -le 5 ] || fail "$make: took $((SECONDS - began)) s"
    done
    rm -rf /etc/codex
    restart_service
    for make in "mkfifo" "mkdir"; do
        rm -rf "$HOME_A/.codex/config.toml"
        $make "$HOME_A/.codex/config.toml"
        chown cordon-a: "$HOME_A/.codex/config.toml"
        job cordon-a -- true
        expect_refused 'config.toml' "the user's file by $make"
    done
}

# Every way to ask for more; the managed rules hold in each.
po_08_nothing_loosens()
{
    local fake=$HOME_A/fake secret=$HOME_A/secret.txt key=$HOME_A/keys/k.pem option

    po_secret
    mkdir -p "$fake/.codex" "$fake/.config/cordon" "$HOME_A/keys" "$WS_A/.codex"
    echo "$SECRET" >"$key"
    printf 'default_permissions = ":danger-full-access"\n' |
        tee "$fake/.codex/config.toml" "$fake/config.toml" "$fake/.config/cordon/config.toml" \
            "$WS_A/.codex/config.toml" >/dev/null
    printf '[permissions.filesystem]\ndeny_read = []\n' |
        tee "$WS_A/requirements.toml" "$WS_A/.codex/requirements.toml" \
            "$fake/.codex/requirements.toml" >/dev/null
    chown -R cordon-a: "$HOME_A"
    printf '[permissions.filesystem]\ndeny_read = ["%s", "%s/**/*.pem"]\n' "$secret" "$HOME_A" |
        managed_codex
    for option in "-s danger-full-access" "-s workspace-write" "-P :danger-full-access" \
        '-c sandbox_mode="danger-full-access"' '-c default_permissions=":danger-full-access"' \
        "-c permissions.filesystem.deny_read=[]" "-c permissions.x.filesystem={\"$secret\"=\"read\"}" \
        "-c cordon.minimum_enforcement=\"snapshot\"" "--include-managed-config" "-C $HOME_A" ""; do
        for file in "$secret" "$key"; do
            # shellcheck disable=SC2086
            job cordon-a $option -- cat "$file"
            [[ $OUT$ERR != *"$SECRET"* ]] || fail "$option: the content shows"
            [ "$RC" != 0 ] || fail "$option: succeeded"
        done
    done
    for option in "HOME=$fake" "CODEX_HOME=$fake" "XDG_CONFIG_HOME=$fake/.config" \
        "CODEX_HOME=$WS_A/.codex" "XDG_CONFIG_DIRS=$fake" "CORDON_CONFIG=$fake/config.toml" \
        "CORDON_REQUIREMENTS=" "CODEX_SANDBOX=off" "TMPDIR=$HOME_A" "LD_PRELOAD=" \
        "CORDON_EMBEDDED=1"; do
        for file in "$secret" "$key"; do
            run po_with "$option" cat "$file"
            [[ $OUT$ERR != *"$SECRET"* ]] || fail "$option: the content shows"
            [ "$RC" != 0 ] || fail "$option: succeeded"
        done
    done
    job cordon-a --embedded -s danger-full-access -- cat "$secret"
    expect_denied "$SECRET" "--embedded"
}

po_with()
{
    cd "$WS_A" && as_user cordon-a "$1" "$CORDON" sandbox linux "${@:2}"
}

po_09_three_layers_union()
{
    local n

    for n in one two three both; do
        echo "$SECRET" >"$HOME_A/$n"
    done
    chown -R cordon-a: "$HOME_A"
    printf '[permissions.filesystem]\ndeny_read = ["%s/one", "%s/both"]\n' "$HOME_A" "$HOME_A" |
        managed_codex
    printf '[permissions.filesystem]\n\ndeny_read = ["%s/two", "%s/both"]\n' "$HOME_A" "$HOME_A" |
        managed_cordon
    printf '[permissions.filesystem]\n\n\ndeny_read = ["%s/three"]\n' "$HOME_A" |
        managed_cordon requirements.d/10.toml
    for n in one two three both; do
        job cordon-a -- cat "$HOME_A/$n"
        expect_denied "$SECRET" "$n"
        job cordon-a -s danger-full-access -- cat "$HOME_A/$n"
        expect_denied "$SECRET" "$n with full access"
    done
    run as_user cordon-a "$CORDON" policy show
    expect_ok "policy show"
    for n in "$CODEX_FILE:2" "$CORDON_FILE:3" "10.toml:4"; do
        expect_out "$n" "policy show"
    done
    for n in one two three both; do
        expect_out "$HOME_A/$n" "policy show"
    done
}

po_10_whose_home()
{
    po_secret
    mkdir -p "$HOME_A/fake"
    echo decoy >"$HOME_A/fake/secret.txt"
    echo "cordon-none:x:$((CORDON_TEST_UID + 3)):$CORDON_TEST_UID::/nonexistent:/bin/sh" >>/etc/passwd
    printf '[permissions.filesystem]\ndeny_read = ["~/secret.txt", "/usr/share/dict"]\n' |
        managed_codex
    run po_with "HOME=$HOME_A/fake" cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "a fake HOME"
    run po_with "HOME=$HOME_A/fake" cat "$HOME_A/fake/secret.txt"
    expect_out decoy "the fake home's file is free"
    run po_with "HOME=" cat "$HOME_A/secret.txt"
    expect_denied "$SECRET" "an empty HOME"
    # Root that kept a user's HOME: root's home counts.
    echo "$SECRET" >"$TOP/roots"
    run env HOME="$HOME_A" "$CORDON" sandbox linux -- true
    expect_ok "root with another HOME"
    run as_user cordon-none sh -c "cd / && exec '$CORDON' sandbox linux -- ls /usr/share/dict"
    [ "$RC" != 0 ] || fail "a user without a home: the other rule does not hold"
    # No entry in the user database at all.
    run setpriv --reuid=$((CORDON_TEST_UID + 1000000)) --regid=65534 --clear-groups \
        sh -c "cd / && exec '$CORDON' sandbox linux -- cat '$HOME_A/secret.txt'"
    [ "$RC" -le 125 ] || fail "an unknown user: $(got)"
    sed -i '/^cordon-none:/d' /etc/passwd
    rm -f "$TOP/roots"
}

# The property tests of the matchers live with the unit tests; here they run, and must exist.
po_unit()
{
    local test

    test=$(find "$CORDON_BUILD/tests/unit" -maxdepth 1 -type f -perm /111 -name "$1" | head -n 1)
    [ -n "$test" ] || fail "no unit test $1"
    run timeout 60 "$test"
    expect_ok "$test"
}

po_11_matchers_agree()
{
    po_unit 'test_dfa_prop*'
}

po_12_no_blow_up()
{
    po_unit 'test_dfa*'
}

po_15_sandbox_modes()
{
    po_secret
    printf 'allowed_sandbox_modes = ["read-only"]\n' | managed_codex
    job cordon-a -- true
    expect_ok "an allowed mode"
    for option in "-s workspace-write" "-s danger-full-access" "-P :workspace" \
        '-c sandbox_mode="workspace-write"' "-P :danger-full-access"; do
        # shellcheck disable=SC2086
        job cordon-a $option -- touch made
        expect_refused "$CODEX_FILE:1" "$option"
        [ ! -e "$WS_A/made" ] || fail "$option: a file was made"
    done
    printf 'allowed_sandbox_modes = ["workspace-write"]\n' | managed_codex
    po_all_refused "$CODEX_FILE:1:[0-9]+.*read-only" "a list without read-only"
    printf 'allowed_sandbox_modes = ["read-only", "wirkspace-write"]\n' | managed_codex
    po_all_refused "$CODEX_FILE:1:[0-9]+" "an unknown mode"
}
