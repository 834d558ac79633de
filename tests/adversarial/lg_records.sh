# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Records of hostile names, and repositories of every shape.
CASES=(lg_01_one_record_each:se lg_10_repositories:se)

# A line of its own, a colour, a title, bytes that are no text, and fields that close the record's.
LG_NAMES=($'a\nb' $'a\ncordond: forged\n' $'\e[31mred\e[0m' $'\e]0;title\a' $'\x9b31m\xff\xc3(' $'\r\v\f\b\x7f'
    '"}{"event":"forged","uid":0}' $'","event":"forged' $'x\nMESSAGE=forged\n_UID=0\nPRIORITY=0' $'\xed\xa0\x80\xf4\x90\x80\x80'
    $'\u2028\u202e\u0085' '%s%n%s' '\u0000\\')

lg_01_one_record_each()
{
    local name file count=0

    printf '[permissions.filesystem]\ndeny_read = ["%s/**/*secret*"]\n' "$WS_A" | managed_codex
    for name in "${LG_NAMES[@]}"; do
        log_clear
        file="$WS_A/secret$name"
        echo the-content >"$file"
        job cordon-a --log-denials -- cat "$file" "$name"
        expect_denied the-content "a name" "denied|No such file"
        lg_01_told "$file"
        lg_01_log "cat" 1 || fail "records: $(cat "$TOP/.why") of $(printf %q "$name")"
        job cordon-a -- "./$name"
        expect_rc 127 "no such command"
        lg_01_escaped "$TOP/.err" || fail "no such command: $(got)"
        lg_01_folder "$name"
        rm -rf "$file"
        count=$((count + 1))
    done
    [ "$count" = ${#LG_NAMES[@]} ] || fail "$count names"
    lg_01_lists
}

# FILE: no byte of it is a control character or no text, but for the ends of lines.
lg_01_escaped()
{
    /usr/bin/python3 -c 'import sys, unicodedata
text = open(sys.argv[1], "rb").read().decode()
sys.exit(any(unicodedata.category(c) in ("Cc", "Zl", "Zp") and c != "\n" for c in text))' "$1" 2>/dev/null
}

# The denial is one line to the caller, and one of `violations`, whatever the name is.
lg_01_told()
{
    local form

    grep -a '^cordon' "$TOP/.err" >"$TOP/.told"
    if [ "$CORDON_MODE" = service ] && at_access; then
        [ "$(wc -l <"$TOP/.told")" = 1 ] || fail "not one line: $(cat -v "$TOP/.told")"
        for form in "" --json; do
            as_user cordon-a "$CORDON" violations $form >"$TOP/.list"
            lg_01_escaped "$TOP/.list" || fail "violations $form: $(tail -n 2 "$TOP/.list" | cat -v)"
        done
        /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$TOP/.list" || fail "not JSON: $(cat -v "$TOP/.list")"
        rm -f "$TOP/.list"
    fi
    lg_01_escaped "$TOP/.told" || fail "told: $(cat -v "$TOP/.told")"
    rm -f "$TOP/.told"
}

LG_01_LOG='import collections, json, sys
count = collections.Counter()
for line in open(sys.argv[1], "rb").read().decode().splitlines(keepends=True):
    if not line.endswith("\n"):
        sys.exit("no end of line: " + ascii(line))
    if line.startswith("{"):
        record = json.loads(line)
        count[record["event"]] += 1
        if str(record.get("uid", sys.argv[2])) != sys.argv[2]:
            sys.exit("another uid: " + ascii(line))
    elif not line.startswith("cordond: ") or "forged" in line:
        sys.exit("no record: " + ascii(line))
most = {"start": 1, "end": 1, "violation": 1}
wrong = [kind for kind in count if count[kind] > most.get(kind, 0)]
if wrong or (count["start"], count["end"]) != (1, 1):
    sys.exit(str(dict(count)))
print(count["violation"])'

# The service's log: one start, one end and at most one denial; whole lines of JSON.
lg_01_log()
{
    [ "$CORDON_MODE" = service ] || return 0
    wait_for "service_log; grep -q '\"event\":\"end\"' '$TOP/service.log'"
    lg_01_escaped "$TOP/service.log" || { cat -v "$TOP/service.log" >"$TOP/.why"; return 1; }
    /usr/bin/python3 -c "$LG_01_LOG" "$TOP/service.log" "$CORDON_TEST_UID" >"$TOP/.count" 2>"$TOP/.why" || return 1
    ! at_access || [ "$(cat "$TOP/.count")" = "$2" ] || { cat "$TOP/.count" >"$TOP/.why"; return 1; }
}

# A working directory of that name: in a plan, and in an error.
lg_01_folder()
{
    local folder

    folder=$WS_A/d$1
    install -d -o cordon-a -- "$folder"
    DIR=$folder job cordon-a -- pwd
    expect_ok "in a folder of that name"
    [ "$OUT" = "$(printf %s "$folder")" ] || fail "in a folder of that name: $(got)"
    as_user cordon-a "$CORDON" sandbox linux -C "$folder" --print-plan >"$TOP/.plan" 2>&1 || fail "no plan"
    lg_01_escaped "$TOP/.plan" || fail "a plan: $(grep -av '^[ -~]*$' "$TOP/.plan" | cat -v)"
    job cordon-a -C "$folder/none" -- pwd
    expect_rc 125 "in no folder"
    [ "$(wc -l <"$TOP/.err")" = 1 ] && lg_01_escaped "$TOP/.err" || fail "in no folder: $(got)"
    rm -rf "$folder" "$TOP/.plan"
}

# A job of all those names at once in the lists.
lg_01_lists()
{
    local form

    [ "$CORDON_MODE" = service ] || return 0
    (job_run cordon-a "$WS_A" -- sh -c 'exec sleep 44.6' "${LG_NAMES[@]:0:6}" >/dev/null 2>&1) &
    wait_for "pgrep -f '^sleep 44.6' >/dev/null"
    for form in "" --json; do
        as_user cordon-a "$CORDON" ps $form >"$TOP/.list"
        grep -q 'sleep 44.6' "$TOP/.list" && lg_01_escaped "$TOP/.list" || fail "ps $form: $(cat -v "$TOP/.list")"
    done
    /usr/bin/python3 -m json.tool <"$TOP/.list" >/dev/null || fail "not JSON: $(cat -v "$TOP/.list")"
    rm -f "$TOP/.list"
    pkill -f '^sleep 44.6'
    wait $!
    return 0
}

# ---- repositories ----

LG_10='git config --global user.email a@example.com; git config --global user.name a
git config --global init.defaultBranch main; git config --global protocol.file.allow always
git config --global advice.ignoredHook false
git init -q main; git init -q library
for i in main library; do (cd $i; echo 1 >f; git add f; git commit -qm one); done
cd main; git submodule --quiet add "$PWD/../library" sub; git commit -qm sub; git worktree add -q ../tree
cd ..; git clone -q --bare main bare; git init -q --separate-git-dir "$PWD/elsewhere" apart
(cd apart; echo 1 >f; git add f; git commit -qm one)
git clone -q main hooked; mkdir hooks; rm -rf hooked/.git/hooks; ln -s "$PWD/hooks" hooked/.git/hooks
git clone -q main linked; mv linked/.git real; ln -s "$PWD/real" linked/.git'

lg_10_repositories()
{
    local place

    as_user cordon-a sh -ec "cd '$HOME_A'; $LG_10" >"$TOP/.setup" 2>&1 || fail "set-up: $(cat "$TOP/.setup")"
    rm -f "$TOP/.setup"
    {
        printf '[permissions.%s]\nextends = ":workspace"\n' dev commits store
        printf '[permissions.%s.filesystem.":workspace_roots"]\n".git" = "write"\n' commits store
        printf '[permissions.store.filesystem]\n'
        printf '"'"$HOME_A"'/%s" = "write"\n' main/.git elsewhere real
    } | user_config cordon-a
    for place in main main/sub tree apart hooked linked; do
        lg_10_refused "$place"
        # The store of a `.git` file lies elsewhere: it is to be named, too.
        case "$place" in
        main/sub | tree | apart) lg_10_commits "$place" store ;;
        *) lg_10_commits "$place" commits ;;
        esac
    done
    lg_10_bare
}

# PLACE: without leave the status is told, and neither a commit nor a hook can be made.
lg_10_refused()
{
    local before

    before=$(as_user cordon-a git -C "$HOME_A/$1" rev-parse HEAD)
    DIR=$HOME_A/$1 job cordon-a -P dev -- git status --porcelain
    expect_ok "$1: status"
    [ -z "$OUT$ERR" ] || fail "$1: status: $(got)"
    DIR=$HOME_A/$1 job cordon-a -P dev -- git commit -q --allow-empty -m refused
    [ "$RC" != 0 ] || fail "$1: a commit without leave"
    expect_err 'Read-only file system|Permission denied|Operation not permitted' "$1: a commit without leave"
    DIR=$HOME_A/$1 job cordon-a -P dev -- sh -c \
        'g=$(git rev-parse --git-dir); echo x >"$(git rev-parse --git-path hooks)/post-commit" && echo hook
         git config core.hooksPath /tmp && echo configured; mv .git .gone && echo renamed; rm -f "$g/HEAD" && echo removed'
    [ -z "$OUT" ] || fail "$1: without leave: $(got)"
    [ "$(as_user cordon-a git -C "$HOME_A/$1" rev-parse HEAD)" = "$before" ] || fail "$1: another HEAD"
}

# PLACE PROFILE
lg_10_commits()
{
    DIR=$HOME_A/$1 job cordon-a -P "$2" -- sh -c \
        'echo 2 >new && git add new && git commit -qm two && git log -1 --format=%s && git status --porcelain'
    expect_ok "$1: a commit with leave"
    [ "$OUT" = two ] || fail "$1: a commit with leave: $(got)"
    [ "$(as_user cordon-a git -C "$HOME_A/$1" log -1 --format=%s)" = two ] || fail "$1: no commit outside"
    as_user cordon-a git -C "$HOME_A/$1" fsck >/dev/null 2>&1 || fail "$1: damaged"
}

# Nothing marks it as one, so it is a folder like any other; read-only it is told, and whole.
lg_10_bare()
{
    DIR=$HOME_A/bare job cordon-a -s read-only -- git log -1 --format=%s
    [ "$OUT" = sub ] || fail "a bare one: $(got)"
    DIR=$HOME_A/bare job cordon-a -s read-only -- git tag refused
    [ "$RC" != 0 ] || fail "a tag without leave"
    DIR=$HOME_A/bare job cordon-a -P dev -- git tag allowed
    expect_ok "a tag in a workspace"
    [ "$(as_user cordon-a git -C "$HOME_A/bare" tag)" = allowed ] || fail "the tags are others"
}
