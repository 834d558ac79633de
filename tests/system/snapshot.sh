#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What patterns deny among the files that exist when a job starts, in a tree that two threads read:
# every match at every depth, below what is read-only as well, and nothing else. What
# cannot be looked at ends the start, unless the job cannot get there.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
managed_cordon <<TOML
[[cordon.rule]]
deny_read = ["$WS_A/**/*.env"]
deny_write = ["$WS_A/**/locked"]
TOML

cat >"$TOP/lay_out.py" <<'PY'
import os, sys
top, folders = sys.argv[1], int(sys.argv[2])
for at in range(folders):
    folder = f"{top}/p{at // 50}/q{at % 50}"
    for name in "", "/locked", "/deep/er/still":
        os.makedirs(folder + name, exist_ok=True)
        for leaf in "a.env", "plain":
            open(f"{folder}{name}/{leaf}", "w").write("of " + leaf)
    os.makedirs(f"{folder}/dir.env")
    open(f"{folder}/dir.env/plain", "w").write("of a.env")
    os.symlink("deep/er/still/plain", f"{folder}/link.env") if at % 2 == 0 else None
PY

# Says how many files of each kind it could read, and in how many folders it could make one.
cat >"$TOP/look.py" <<'PY'
import os
read, made = {}, {}
for folder, below, files in os.walk("."):
    for name in files:
        try:
            text = open(f"{folder}/{name}").read()
            read[text] = read.get(text, 0) + 1
        except OSError:
            read["refused"] = read.get("refused", 0) + 1
    kind = os.path.basename(folder) if folder.endswith(("locked", ".env")) else "other"
    try:
        open(f"{folder}/new", "x").close()
        os.unlink(f"{folder}/new")
        made[kind] = made.get(kind, 0) + 1
    except OSError:
        made["refused"] = made.get("refused", 0) + 1
print(sorted(read.items()), sorted(made.items()))
PY
chmod 755 "$TOP"/*.py

# Of 200 folders: three matches each; what a link that matches leads to is denied under its own name,
# in every second; one folder that is read-only and one that is denied.
python3 "$TOP/lay_out.py" "$WS_A" 200
chown -R cordon-a: "$WS_A"
WANTED="[('of plain', 500), ('refused', 800)] [('other', 805), ('refused', 200)]"
STDIN=$TOP/look.py
look()
{
    job cordon-a --embedded -s workspace-write -- "$@" /usr/bin/python3 -
}
expect_seen()
{
    expect_ok "$1"
    [ "$OUT" = "$WANTED" ] || fail "$1: $(got)"
}
look
expect_seen "200 folders"

run as_user cordon-a "$PROBES/lack_calls" threads "$CORDON" sandbox --embedded -s workspace-write \
    -C "$WS_A" linux -- /usr/bin/python3 - <"$TOP/look.py"
expect_seen "one thread"

# Where the job does not get, nothing is looked for.
install -d -m 700 "$WS_A/p0/private"
echo "of a.env" >"$WS_A/p0/private/b.env"
look
expect_seen "a folder of root's"
rm -rf "$WS_A/p0/private"

# What a link leads to by way of the root.
ups=$(printf '../%.0s' {1..20})
ln -s "${ups%/}$WS_A/p1/q1/plain" "$WS_A/p0/up.env"
look
WANTED="[('of plain', 499), ('refused', 802)] [('other', 805), ('refused', 200)]" expect_seen "a link by way of the root"
rm "$WS_A/p0/up.env"

# A link that makes a directory read-only in which is being read: all else holds in it as well.
mkdir "$WS_A/p0/sub"
ln -s ../.. "$WS_A/p0/sub/locked"
look
WANTED="[('of plain', 500), ('refused', 800)] [('refused', 1006)]" expect_seen "a link to a directory above"
run as_user cordon-a "$PROBES/lack_calls" threads "$CORDON" sandbox --embedded -s workspace-write \
    -C "$WS_A" linux -- /usr/bin/python3 - <"$TOP/look.py"
WANTED="[('of plain', 500), ('refused', 800)] [('refused', 1006)]" expect_seen "... by one thread"
rm -r "$WS_A/p0/sub"

# Links to one directory by two mounts: read-only by both.
mkdir "$WS_A/other" "$WS_A/m1" "$WS_A/m2"
ln -s ../p0/q0 "$WS_A/m1/locked"
ln -s ../other "$WS_A/m2/locked"
chown cordon-a: "$WS_A/m1" "$WS_A/m2"
mount --bind "$WS_A/p0/q0" "$WS_A/other"
look
WANTED="[('of plain', 502), ('refused', 805)] [('other', 803), ('refused', 209)]" expect_seen "two mounts of one directory"
umount "$WS_A/other"
rm -r "$WS_A/other" "$WS_A/m1" "$WS_A/m2"

# Many that links make read-only.
(cd "$WS_A" && mkdir many links && for at in {1..300}; do
    mkdir "many/$at" "links/$at" && ln -s "../../many/$at" "links/$at/locked"
done)
chown -R cordon-a: "$WS_A/many" "$WS_A/links"
look
WANTED="[('of plain', 500), ('refused', 800)] [('other', 1107), ('refused', 500)]" expect_seen "300 links"
rm -r "$WS_A/many" "$WS_A/links"

# More directories in one than are kept in mind at once.
mkdir "$WS_A/wide"
(cd "$WS_A/wide" && seq 5000 | xargs mkdir && seq 100 100 5000 | sed 's|$|/b.env|' | xargs touch)
chown -R cordon-a: "$WS_A/wide"
look
WANTED="[('of plain', 500), ('refused', 850)] [('other', 5806), ('refused', 200)]" expect_seen "5000 folders in one"
rm -r "$WS_A/wide"

# Too deep to look at: no start that leaves out what lies there.
deep=$WS_A/deep$(printf '/d%.0s' $(seq 130))
install -d -o cordon-a "$deep"
look
expect_refused 'directories too deep for a deny pattern' "130 levels"
rm -rf "$WS_A/deep"
look
expect_seen "without those"
expect_clean
echo "figure: 200 folders, 2 threads"
