#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Very deep folders, as configure scripts make: what is denied in them is, and to go through them
# does not take a job so long that it seems to hang.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
start_service
managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$HOME_A/**/*.key"]
TOML

cat >"$WS_A/go.py" <<'PY'
import os, sys
top = os.getcwd()
for level in range(int(sys.argv[1])):
    os.mkdir("confdir3")
    os.chdir("confdir3")
for name in "plain", "secret.key":
    try:
        with open(name, "w") as file:
            file.write("of " + name)
        print(open(name).read(), flush=True)
    except PermissionError as error:
        print("refused", name, flush=True)
os.mkdir("vault.key")
try:
    print(os.listdir("vault.key"), flush=True)
except PermissionError:
    print("refused vault.key", flush=True)
os.chdir(top)
os.execvp("rm", ["rm", "-rf", "confdir3"])
PY

# Levels whose names fit into a path, and more than that.
for levels in 300 1000; do
    job cordon-a -s workspace-write -- /usr/bin/python3 go.py "$levels"
    expect_ok "$levels levels"
    [ "$OUT" = $'of plain\nrefused secret.key\nrefused vault.key' ] || fail "$levels levels: $(got)"
    [ ! -e "$WS_A/confdir3" ] || fail "$levels levels: something is left"
done
