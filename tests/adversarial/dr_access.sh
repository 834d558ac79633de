# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Deny-read, decided at each access: what appears, moves, is linked or replaced while the job
# runs. What this mechanism refuses and what it only keeps unreadable is in the table of
# platform/linux/README.md; no case here expects more than that table promises.
CASES=(
    dr_07_hard_link_made_earlier:s dr_10_moved_denied_object:s dr_11_replaced_by_the_host:s
    dr_12_absent_at_start:s dr_13_job_creates_a_match:s dr_14_host_creates_a_match:s
    dr_15_renamed_into_and_out_of_a_match:s dr_16_other_ways_to_read:s dr_31_odd_names:s
    dr_33_handles_of_lost_names:s dr_34_inside_a_denied_directory:s dr_35_guards_killed:s)

# A workspace with a denied file, a denied folder and patterns, by the profile and managed.
da_setup()
{
    install -d "$WS_A/conf/deep" "$WS_A/vault/in" "$WS_A/open" "$HOME_A/plain"
    echo "$SECRET" >"$WS_A/conf/key"
    echo "$SECRET" >"$WS_A/vault/in/file"
    echo "$SECRET" >"$WS_A/open/x.pem"
    echo "$SECRET" >"$WS_A/conf/deep/.env"
    echo plain >"$WS_A/open/plain.txt"
    chown -R cordon-a: "$HOME_A"
    {
        printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n'
        printf '[permissions.dev.filesystem]\n'
        printf '"%s" = "deny"\n' "$WS_A/conf/key" "$WS_A/vault" "/**/*.pem" "$@"
    } | user_config cordon-a
    printf '[permissions.filesystem]\ndeny_read = ["/**/.env"]\n' | managed_codex
}

# da_job SCRIPT: runs it in the workspace; every "get FILE" in it must be refused.
da_job()
{
    job cordon-a -- bash -c "get() { cat \"\$@\" 2>>errors || echo refused; }; $1"
    [[ $OUT$ERR != *"$SECRET"* ]] || fail "$2: the content shows; $(got)"
    [ "$(cat "$WS_A"/* 2>/dev/null | grep -c "copy-of-$SECRET")" = 0 ] || fail "$2: a copy was made"
}

# expect_refusals COUNT WHAT: that many "refused" lines, and the workspace is otherwise usable.
expect_refusals()
{
    [ "$(grep -c '^refused$' <<<"$OUT")" = "$1" ] || fail "$2: expected $1 refusals; $(got)"
    [[ $OUT == *plain* ]] || fail "$2: an allowed file was not read; $(got)"
}

# refused_by_bpf WHAT CONDITION: what may succeed elsewhere, unreadable all the same.
refused_by_bpf()
{
    ! decided_by bpf || eval "$2" || fail "$1 was not refused"
}

# while_running COMMAND...: what the host does once the job of da_wait has begun.
while_running()
{
    (
        for ((i = 0; i < 500; i++)); do
            [ -e "$WS_A/begun" ] && break
            sleep 0.01
        done
        "$@"
        touch "$WS_A/done"
    ) &
}
AWAIT='cat open/plain.txt; touch begun; while [ ! -e done ]; do sleep 0.01; done;'

dr_07_hard_link_made_earlier()
{
    da_setup
    ln "$WS_A/conf/key" "$HOME_A/plain/a"
    ln "$WS_A/vault/in/file" "$WS_A/open/b"
    ln "$WS_A/open/x.pem" "$WS_A/open/c"
    ln "$WS_A/conf/deep/.env" "$HOME_A/plain/d"
    ln "$WS_A/open/plain.txt" "$WS_A/open/other"
    da_job "get ~/plain/a; get open/b; get open/c; get ~/plain/d; cat open/other" "earlier links"
    expect_refusals 4 "earlier links"
    # One name less does not make it another object.
    da_job "rm -f open/x.pem; get open/c; cat open/plain.txt" "the denied name removed"
    expect_refusals 1 "the denied name removed"
}

dr_10_moved_denied_object()
{
    da_setup
    da_job 'cat open/plain.txt
        for pair in "conf/key k2" "vault v2" "conf c2" "vault/in i2"; do
            mv -T $pair 2>>errors && echo moved $pair; done
        rmdir vault 2>>errors && echo gone; rm -rf vault/in 2>>errors
        for name in k2 c2/key v2/in/file i2/file conf/key vault/in/file; do get $name; done' moves
    expect_refusals 6 "moves of exact rules"
    [[ $OUT != *moved* && $OUT != *gone* ]] || fail "a denied object or its parent moved; $(got)"
    # What only a pattern denies may move; its content does not come along.
    da_job 'cat open/plain.txt; mv open/x.pem open/x.txt; get open/x.txt; get open/x.pem
        mv conf/deep/.env e; get e; mv -T --exchange e open/plain.txt 2>/dev/null; get e' patterns
    [ "$(cat "$WS_A/open/x.txt" "$WS_A/open/x.pem" 2>/dev/null)" = "$SECRET" ] ||
        fail "something was destroyed"
    refused_by_bpf "mv open/x.pem" "[ -e '$WS_A/open/x.pem' ]"
    expect_refusals 4 "moves of matches"
}

dr_11_replaced_by_the_host()
{
    da_setup
    echo "copy-of-$SECRET" >"$WS_A/conf/new"
    while_running mv "$WS_A/conf/new" "$WS_A/conf/key"
    da_job "$AWAIT get conf/key" "renamed over"
    expect_refusals 1 "renamed over"
    rm -f "$WS_A/begun" "$WS_A/done"
    while_running bash -c "rm '$WS_A/conf/key'; echo '$SECRET' >'$WS_A/conf/key'"
    da_job "$AWAIT get conf/key" "removed and made again"
    expect_refusals 1 "removed and made again"
    rm -f "$WS_A/begun" "$WS_A/done"
    while_running bash -c "mv '$WS_A/vault' '$WS_A/v2'; mkdir '$WS_A/vault'; echo '$SECRET' >'$WS_A/vault/f'"
    da_job "$AWAIT get vault/f; get v2/in/file; ls vault || echo refused" "a folder replaced"
    expect_refusals 3 "a folder replaced"
    da_filled_after_the_move
    da_removed_is_gone
    da_moved_into
    # The kernel's program keeps a folder's old names for all that is ever in it.
    decided_by bpf && return
    # Not at once: what comes while the guard looks through the folder counts as of before.
    rm -f "$WS_A/begun" "$WS_A/done" "$WS_A/conf/key"
    echo "$SECRET" >"$WS_A/conf/key"
    while_running bash -c "rm '$WS_A/conf/key'; mv '$WS_A/conf' '$WS_A/c2'
        sleep 1; echo other >'$WS_A/c2/key'"
    da_job "$AWAIT get c2/key" "a folder above moved"
    expect_out other "a new file where no rule reaches any more"
}

# What comes into a denied folder under its new name, by exact rules of both kinds. The managed one
# is where the job cannot write: its mask stays behind on the mount that holds the folder above.
da_filled_after_the_move()
{
    rm -rf "$WS_A/begun" "$WS_A/done" "$WS_A/vault" "$WS_A/v2"
    install -d -o cordon-a "$WS_A/vault" "$HOME_A/o" "$HOME_A/o/d" "$HOME_A/o/d/v"
    printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$HOME_A/o/d/v" | managed_codex
    while_running bash -c "mv '$WS_A/vault' '$WS_A/v2'; mv '$HOME_A/o/d/v' '$HOME_A/o/w'; sleep 0.3
        for to in '$WS_A/v2' '$HOME_A/o/w'; do
            mkdir \$to/e; echo '$SECRET' | tee \$to/f >\$to/e/f; done"
    da_job "$AWAIT for at in v2 ../o/w; do get \$at/f; get \$at/e/f; ls \$at || echo refused; done" filled
    expect_refusals 6 "a moved folder is filled"
}

# What the host removes is gone for those who watch it and for its file system, though the job read
# in it and goes on: nothing that decides keeps it.
da_removed_is_gone()
{
    local folder free

    rm -f "$WS_A/begun" "$WS_A/done"
    install -d -o cordon-a "$WS_A/many" "$WS_A/many/"{1..200}
    for folder in "$WS_A/many"/*; do echo plain >"$folder/x"; done
    sync -f "$WS_A"
    free=$(stat -f -c %d "$WS_A")
    while_running bash -c "rm -r '$WS_A/many'; sync -f '$WS_A'; for i in {1..50}; do
        [ \$((\$(stat -f -c %d '$WS_A') - $free)) -lt 300 ] || { touch '$WS_A/gone'; break; }
        sleep 0.05; done"
    da_job "cat many/*/x >/dev/null; $AWAIT"
    [ -e "$WS_A/gone" ] || fail "200 folders and their files were removed, and some are kept"
    rm -f "$WS_A/gone"
}

# Into a denied folder, or to its name, where no pattern is about what is below: a file has another
# link elsewhere.
da_moved_into()
{
    local to

    for to in vault/sub vault; do
        rm -rf "$WS_A/begun" "$WS_A/done" "$WS_A/vault" "$WS_A/open/link"
        install -d -o cordon-a "$HOME_A/plain/sub"
        [ "$to" = vault ] || install -d -o cordon-a "$WS_A/vault"
        echo "$SECRET" >"$HOME_A/plain/sub/f"
        ln "$HOME_A/plain/sub/f" "$WS_A/open/link"
        managed_codex </dev/null
        printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n%s\n"%s" = "deny"\n' \
            "[permissions.dev.filesystem]" "$WS_A/vault" | user_config cordon-a
        while_running mv "$HOME_A/plain/sub" "$WS_A/$to"
        da_job "$AWAIT get $to/f; get open/link
            { mv open/link open/moved; ln open/link open/more; truncate -s 0 open/link; chmod 777 open/link
              rm -f open/link; } 2>/dev/null" "moved to $to"
        expect_refusals 2 "moved to $to"
        refused_by_bpf "a change of the other link of what was moved to $to" '[ "$(cat "$WS_A/open/link")" = "$SECRET" ] &&
            [ "$(ls "$WS_A/open" | grep -c "^more\|^moved")" = 0 ] && [ "$(stat -c %a "$WS_A/open/link")" != 777 ]'
        rm -rf "$WS_A/open/moved" "$WS_A/open/more"
    done
    da_setup
}

dr_12_absent_at_start()
{
    local before

    da_setup "$WS_A/later/file" "$WS_A/later-folder"
    before=$(tree "$WS_A")
    job cordon-a -- true
    expect_same_tree "$WS_A" "$before"
    while_running bash -c "mkdir '$WS_A/later' '$WS_A/later-folder'
        echo '$SECRET' | tee '$WS_A/later/file' >'$WS_A/later-folder/in'"
    da_job "$AWAIT get later/file; get later-folder/in; ls later-folder || echo refused" "absent"
    expect_refusals 3 "absent"
}

dr_13_job_creates_a_match()
{
    da_setup
    da_job "cat open/plain.txt; echo '$SECRET' >new.pem || echo refused; get new.pem
        echo '$SECRET' >draft; mv draft late.pem 2>/dev/null; get late.pem
        mv late.pem draft 2>/dev/null && get draft; rm -f draft" made
    # Where the first move is refused the draft never had a denied name.
    if decided_by bpf; then
        expect_refusals 3 "made by the job"
    else
        expect_refusals 4 "made by the job"
    fi
    refused_by_bpf "a new match" "[ ! -e '$WS_A/new.pem' ]"
}

dr_14_host_creates_a_match()
{
    da_setup
    while_running bash -c "echo '$SECRET' | tee '$WS_A/h.pem' >'$WS_A/conf/.env'
        mkdir -p '$WS_A/n/n'; echo '$SECRET' >'$WS_A/n/n/deep.pem'; chmod -R a+rX '$WS_A'"
    da_job "$AWAIT get h.pem; get conf/.env; get n/n/deep.pem; cp h.pem copy 2>>errors || echo refused" \
        "made by the host"
    expect_refusals 4 "made by the host"
}

dr_15_renamed_into_and_out_of_a_match()
{
    da_setup
    da_job "cat open/plain.txt; echo '$SECRET' >a.txt; mv a.txt a.pem; get a.pem
        mv open/x.pem x.txt; get x.txt; ln open/plain.txt l.pem; rm l.pem
        mkdir d; mv conf/deep/.env d/e; mv d d2; get d2/e" "renames"
    expect_refusals 3 "renames"
    da_replaced
    da_merged
    da_raced
}

# Equal events are merged into the first: there, fro and there again is told as two renames.
da_merged()
{
    da_setup "/**/b/*.key"
    install -d -o cordon-a "$WS_A/p" "$WS_A/p/a"
    while_running bash -c "echo '$SECRET' >'$WS_A/p/b/x.key'; cp '$WS_A/p/b/x.key' '$WS_A/p/a/x.key'"
    job cordon-a -- python3 -c '
import os, time
def tried(what, act):
    try: print("LEAK", what, act())
    except OSError: print("refused")
print(open("open/plain.txt").read())
time.sleep(0.3); os.mkdir("p/q"); time.sleep(0.01)
def move(old, new):
    # The kernel program refuses it; copied by hand, as mv does.
    try: os.rename(old, new)
    except OSError: os.rmdir(old); os.mkdir(new)
for names in ("ab", "ba", "ab"): move("p/" + names[0], "p/" + names[1])
time.sleep(0.3); open("begun", "w")
while not os.path.exists("done"): time.sleep(0.01)
tried("there", lambda: open("p/b/x.key").read())
def moved(): os.rename("p/b/x.key", "p/y"); return open("p/y").read()
tried("elsewhere", moved)'
    expect_refusals 2 "renames there and fro"
    [[ $OUT != *LEAK* ]] || fail "a merged rename was taken for none; $(got)"
}

# A file is opened while it gets another name, or a directory above does.
da_raced()
{
    local i

    da_setup "/**/b*/*.key"
    for ((i = 0; i < 200; i++)); do
        mkdir "$WS_A/conf/b$i"
        echo "$SECRET" | tee "$WS_A/conf/b$i/x.key" >"$WS_A/conf/b$i/y.key"
    done
    chown -R cordon-a: "$WS_A/conf"
    job cordon-a -- python3 -c '
import mmap, os
print(open("open/plain.txt").read())
turn, leaks = mmap.mmap(-1, 4), 0
def at(what): return int.from_bytes(turn[what:what + 2], "little")
def put(what, i): turn[what:what + 2] = i.to_bytes(2, "little")
def moved(old, new):
    try: os.rename(old, new)
    except OSError: pass
if os.fork() == 0:
    for i in range(200):
        while at(0) <= i: pass
        for _ in range(i * 37 % 600): pass
        moved(*("conf/b%d/x.key conf/b%d/x" if i % 2 else "conf/b%d conf/c%d").replace("%d", str(i)).split())
        put(2, i + 1)
    os._exit(0)
for i in range(200):
    put(0, i + 1)
    try: leaks += os.read(os.open("conf/b%d/x.key" % i, os.O_RDONLY), 9) != b""
    except OSError: pass
    while at(2) <= i: pass
os.wait(); print("leaks:", leaks)'
    expect_out "leaks: 0" "opened while it was renamed"
}

# A rename that replaces a match tells nothing of the file that lived on under another name.
da_replaced()
{
    da_setup
    ln "$WS_A/open/x.pem" "$HOME_A/plain/earlier"
    da_job "cat open/plain.txt; echo n >n; mv -f n open/x.pem; get ~/plain/earlier" "an earlier link"
    expect_refusals 1 "replaced, an earlier link"
    da_setup
    da_job "cat open/plain.txt; echo n >n; ln open/x.pem l; mv -f n open/x.pem; get l" "a link"
    expect_refusals 1 "replaced, a link by the job"
    da_setup
    echo "$SECRET" | as_user cordon-a tee "$WS_A/open/y.pem" >/dev/null
    job cordon-a -- python3 -c '
import os, threading
def tried(act, *names):
    try: act(*names)
    except OSError: pass
print(open("open/plain.txt").read())
open("n1", "w"); open("n2", "w"); open("free", "w").write("plain"); os.link("free", "other")
# An open: what was linked in one burst with a rename may count as what that replaced.
open("other").read()
for name in ("l1", "l2", "l3"): tried(os.link, "open/x.pem", name)
tried(os.unlink, "l1"); tried(os.chmod, "l2", 0o600)
tried(os.rename, "n1", "open/x.pem")
tried(os.link, "open/y.pem", "l4")
noise = threading.Thread(target=lambda: [os.chmod("free", 0o600 + i % 2) for i in range(2000)])
noise.start(); tried(os.rename, "n2", "open/y.pem"); noise.join()
for name in ("l2", "l3", "l4"):
    try: print("LEAK", open(name).read())
    except OSError: print("refused")
print(open("free").read(), open("other").read())'
    expect_refusals 3 "replaced, in a burst"
    [[ $OUT != *LEAK* ]] || fail "a replaced file was read; $(got)"
    expect_out "plain plain"
}

dr_16_other_ways_to_read()
{
    da_setup
    cp /bin/true "$WS_A/open/tool.pem"
    chown cordon-a: "$WS_A/open/tool.pem"
    job cordon-a -- python3 -c '
import mmap, os, sys
def tried(what, act):
    try:
        got = act()
        print("LEAK" if got else "empty", what)
    except OSError as error:
        print("refused", what)
name = "open/x.pem"
def copied(act):
    out = os.open("copy", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    return act(os.open(name, os.O_RDONLY), out)
tried("open", lambda: open(name).read())
tried("rdwr", lambda: os.read(os.open(name, os.O_RDWR), 9))
tried("mmap", lambda: mmap.mmap(os.open(name, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:])
tried("sendfile", lambda: copied(lambda a, b: os.sendfile(b, a, 0, 9)))
tried("copy_file_range", lambda: copied(lambda a, b: os.copy_file_range(a, b, 9)))
tried("O_PATH", lambda: open("/proc/self/fd/%d" % os.open(name, os.O_PATH)).read())
tried("dirfd", lambda: os.read(os.open("x.pem", os.O_RDONLY, dir_fd=os.open("open", os.O_PATH)), 9))
tried("execve", lambda: os.posix_spawn("open/tool.pem", ["t"], {}))
os.symlink("open/x.pem", "symlink"); tried("symlink", lambda: open("symlink").read())
os.chdir("open"); tried("cwd", lambda: open("./x.pem").read())
print("plain" if open("plain.txt").read() else "")'
    [[ $OUT != *LEAK* && $OUT != *"$SECRET"* ]] || fail "read in another way; $(got)"
    [ "$(grep -c '^refused' <<<"$OUT")" = 10 ] || fail "not all refused; $(got)"
    expect_out plain
}

dr_31_odd_names()
{
    da_setup
    while_running python3 -c '
import os, sys
os.chdir(sys.argv[1])
for name in (b"new\nline.pem", b"\x80\xff.pem", b"n" * 251 + b".pem", b" .pem", b"\x1b[31m.pem"):
    open(name, "w").write(sys.argv[2])
os.chmod(b"new\nline.pem", 0o644)' "$WS_A" "$SECRET"
    job cordon-a -- python3 -c '
import os, time
open("begun", "w")
while not os.path.exists("done"): time.sleep(0.01)
for name in os.listdir(b"."):
    if name.endswith(b".pem"):
        try: print("LEAK", open(name).read())
        except OSError: print("refused")
long = "d" * 200
os.makedirs("long"); os.chdir("long")
for i in range(30):
    os.mkdir(long); os.chdir(long)
def tried(what, act):
    try: print("LEAK", what, act())
    except OSError: print("refused")
tried("deep", lambda: open("deep.pem", "w").write("x"))
def listed():
    os.mkdir("dir.pem")
    return os.listdir("dir.pem")
tried("deep list", listed)
open("deep.txt", "w").write("plain")
print(os.listdir("."))
os.link("deep.txt", "deep.two")
def moved(name):
    if os.path.exists("deep.txt"): os.rename("deep.txt", "moved.pem")
    return open(name).read()
tried("moved", lambda: moved("moved.pem"))
tried("its other name", lambda: moved("deep.two"))
open("other.txt", "w").write("plain")
os.link("other.txt", "other.two")
print(open("other.two").read())'
    expect_refusals 9 "odd names"
    expect_out "deep.txt" "a deep folder is listed"
    [[ $OUT != *LEAK* ]] || fail "an odd name was read; $(got)"
}

dr_33_handles_of_lost_names()
{
    da_setup
    job cordon-a -- python3 -c '
import os
def tried(what, act):
    fd = os.open(what, os.O_PATH)
    try: act()
    except OSError: pass
    try: print("LEAK", open("/proc/self/fd/%d" % fd).read())
    except OSError: print("refused")
tried("open/x.pem", lambda: os.unlink("open/x.pem"))
open("conf/deep/other", "w").write("x")
tried("conf/deep/.env", lambda: os.rename("conf/deep/other", "conf/deep/.env"))
print(open("open/plain.txt").read())'
    expect_refusals 2 "unlinked and replaced"
    [[ $OUT != *LEAK* ]] || fail "a lost name was read; $(got)"
}

dr_34_inside_a_denied_directory()
{
    local action

    da_setup
    for action in "mkdir %/d" "ln -s x %/l" "sh -c 'echo >%/in/file'" "truncate -s 0 %/in/file" \
        "chmod 777 %/in/file" "chmod 777 %" "setfattr -n user.x -v y %/in/file" "readlink %/in/l" \
        "sh -c 'cd %'" "sh -c 'cd %/in'" "ls %" "touch %/in/file" "mv %/in/file moved"; do
        job cordon-a -- sh -c "${action//%/vault}"
        [ "$RC" != 0 ] || fail "$action: succeeded; $(got)"
        [ "$RC" = 127 ] && [[ $action != setfattr* ]] && fail "$action: no such program"
    done
    [ "$(cat "$WS_A/vault/in/file")" = "$SECRET" ] || fail "the content changed"
}

# Every subset of supervisor, worker, guard and init is killed, in changing order, while four
# processes read a file that appeared during the job: not one byte. CORDON_TORTURE: rounds.
dr_35_guards_killed()
{
    local round victims leaked

    da_setup
    for ((round = 0; round < ${CORDON_TORTURE:-15}; round++)); do
        rm -f "$WS_A/t.pem" "$TOP/ready" "$TOP/leaked"
        (cd "$WS_A" && as_user cordon-a "$CORDON" sandbox linux -- \
            "$PROBES/read_loop" "$WS_A/t.pem" >"$TOP/leaked" 2>"$TOP/ready") &
        wait_for '[ -s "$TOP/ready" ]'
        grep -q ready "$TOP/ready" || fail "round $round: $(cat "$TOP/ready")"
        echo "$SECRET" >"$WS_A/t.pem"
        chmod a+r "$WS_A/t.pem"
        victims=()
        ((((round % 15) + 1) & 1)) && victims+=("$SERVICE_PID")
        ((((round % 15) + 1) & 2)) && victims+=($(pgrep -x cordon-worker))
        ((((round % 15) + 1) & 4)) && victims+=($(pgrep -x cordon-guard))
        ((((round % 15) + 1) & 8)) && victims+=($(pgrep -x cordon-init))
        # The kernel's program needs no guard.
        if [ ${#victims[@]} = 0 ]; then
            decided_by bpf || fail "round $round: nobody to kill"
            victims=($(pgrep -x cordon-init))
        fi
        mapfile -t victims < <(shuf -e "${victims[@]}")
        sleep "0.00$((RANDOM % 10))"
        kill -KILL "${victims[@]}"
        DA_ROUND="round $round, killed ${victims[*]}"
        wait_for "! pgrep -x read_loop >/dev/null && : $DA_ROUND"
        leaked=$(wc -c <"$TOP/leaked")
        [ "$leaked" = 0 ] || fail "round $round, killed ${victims[*]}: $leaked bytes"
        spares_end
        wait_for '! pgrep -x "cordon-[gk].*" >/dev/null'
        if ! kill -0 "$SERVICE_PID" 2>/dev/null || ((((round % 15) + 1) & 1)); then
            service_again
        fi
        wait_for '! pgrep -f "^$CORDON sandbox" >/dev/null'
    done
}
