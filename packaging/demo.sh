#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh CORDON: shows on a throw-away workspace what cordon does. Every step is checked, so the
# last line is the truth: a secret that could be read is exit status 1.
set -uo pipefail

CORDON=${1:?demo.sh CORDON}
DEMO=$(mktemp -d "${TMPDIR:-/tmp}/cordon-demo.XXXXXX") || exit 1
DEMO=$(cd "$DEMO" && pwd -P)
trap 'cd / && rm -rf "$DEMO"' EXIT
SECRET=swordfish-$$
WRONG=0

workspace() {
    mkdir -p "$DEMO/project/api" "$DEMO/keys" "$DEMO/codex"
    cd "$DEMO/project" || exit 1
    cat >hello.c <<'PROGRAM'
#include <stdio.h>
int main(void)
{
    return puts("built and run inside the sandbox") < 0;
}
PROGRAM
    printf 'API_KEY=%s\n' "$SECRET" | tee .env >api/.env
    printf '%s\n' "$SECRET" >"$DEMO/keys/id_ed25519"
    git init -q . 2>/dev/null
    git -c user.name=demo -c user.email=demo@example.org -c commit.gpgsign=false \
        commit -q --allow-empty -m 'an empty start'
    cat >"$DEMO/codex/config.toml" <<POLICY
default_permissions = "demo"

[permissions.demo]
extends = ":workspace"

[permissions.demo.filesystem]
"$DEMO/project/**/.env" = "deny"
"$DEMO/keys" = "deny"
POLICY
    export CODEX_HOME=$DEMO/codex
}

say() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}

# step expected-to WORDS: runs the words in the sandbox; "works" or "fails", and never the secret.
step() {
    local want=$1 out status=0 did
    shift
    printf '$ cordon sandbox linux -- %s\n' "$*"
    out=$("$CORDON" sandbox linux -- "$@" 2>&1 </dev/null) || status=$?
    [[ -z $out ]] || printf '%s\n' "$out"
    [[ $status == 0 ]] || printf '(exit status %d)\n' "$status"
    did=$([[ $status == 0 ]] && echo works || echo fails)
    if [[ $want != "$did" || $out == *"$SECRET"* ]]; then
        printf 'demo: this step should be one that %s\n' "$want"
        WRONG=$((WRONG + 1))
    fi
}

explain() {
    printf '$ cordon why %s\n' "$1"
    # A denial may be the exit status too; what counts is that the rule and its file are named.
    "$CORDON" why "$1" | tee "$DEMO/why"
    if ! grep -q 'config.toml' "$DEMO/why"; then
        printf 'demo: the rule and its file should be named\n'
        WRONG=$((WRONG + 1))
    fi
}

workspace
say "A workspace in $DEMO/project, and this policy:"
sed 's/^/    /' "$DEMO/codex/config.toml"

say "Work goes on as ever:"
step works git status --short
step works cc -o hello hello.c
step works ./hello

say "What the policy denies stays denied, by whatever path:"
step fails cat .env
step fails cat api/../.env
step fails cat /proc/self/root"$DEMO"/project/api/.env
step fails ls "$DEMO/keys"

say "Outside the workspace nothing can be written:"
step fails touch /etc/cordon-demo

say "Why:"
explain "$DEMO/project/.env"
explain "$DEMO/keys/id_ed25519"

if ((WRONG)); then
    say "$WRONG step(s) went otherwise than they should: please report this."
    exit 1
fi
say "Your own files: cordon sandbox linux -- COMMAND. Rules: ~/.codex/config.toml, cordon(1)."
