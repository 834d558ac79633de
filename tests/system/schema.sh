#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that --json prints is what proto/schema says, no member more and none less.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"
VALIDATE=$CORDON_SOURCE/tests/schema/validate.py
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || fail "python3-jsonschema is not installed"
start_service
: >"$TOP/verbs"
: >"$TOP/used"

# valid VERB SCHEMA[,SCHEMA] RC CMD...: its standard output (or, with ON=err, error) fits.
valid()
{
    local verb=$1 schema=$2 rc=$3

    shift 3
    run "$@"
    expect_rc "$rc" "$*"
    [ "${ON:-out}" = out ] || OUT=$ERR
    /usr/bin/python3 "$VALIDATE" "$schema" <<<"$OUT" 2>"$TOP/.why" ||
        fail "$* ($schema): $(cat "$TOP/.why")"
    echo "$verb" >>"$TOP/verbs"
    tr ',' '\n' <<<"$schema" >>"$TOP/used"
}

as_a()
{
    cd "$WS_A" && as_user cordon-a "$CORDON" "$@"
}

/usr/bin/python3 "$VALIDATE" schemas >"$TOP/schemas" || exit 1
echo secret >"$WS_A/a.key"
managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$WS_A/**/*.key", "/nonexistent"]
[sandbox]
TOML
valid reload reload 1 "$CORDON" reload --json
managed_codex <<TOML
[permissions.filesystem]
deny_read = ["$WS_A/**/*.key", "/nonexistent"]
TOML
printf 'default_permissions = "dev"\n[permissions.dev]\nextends = ":workspace"\n%s\n"%s" = "deny"\n' \
    '[permissions.dev.filesystem]' "$HOME_A/.ssh" | user_config cordon-a
valid reload reload 0 "$CORDON" reload --json

(job_run cordon-a "$WS_A" -- sleep 60 >"$TOP/job" 2>&1) &
wait_for "pgrep -f '^sleep 60' >/dev/null || [ -s '$TOP/job' ]" 20
[ ! -s "$TOP/job" ] || fail "a job: $(cat "$TOP/job")"
valid ps ps 0 "$CORDON" ps --json
valid ps ps 0 as_a ps --json
valid ps ps 0 as_user cordon-b "$CORDON" ps --json
valid status status 0 "$CORDON" status --json
valid status status 0 as_a status --json
valid status status 0 as_a status --embedded --json
ON=err valid reload event 1 as_a reload --json
as_a kill "$(as_a ps --json | grep -o '"job":"[0-9]*"' | tr -dc 0-9)"

valid doctor doctor "$("$CORDON" doctor >/dev/null; echo $?)" "$CORDON" doctor --json
valid policy policy-show 0 as_a policy show --json
valid policy policy-show 0 as_a policy show -c cordon.limits.open_files=100 --json
valid policy policy-show 0 as_a policy show -s danger-full-access --json
valid why why 0 as_a why "$WS_A/a.key" --read --write --json
valid why why 0 as_a why /usr/bin/env --json
valid why why 0 as_a why -s read-only "$WS_A/x" --write --json
valid why failure 1 as_a why -P nosuch /x --json
valid policy policy-check 0 as_a policy check "$HOME_A/.codex/config.toml" --json
echo 'oops = [' >"$HOME_A/bad.toml"
valid policy failure 1 as_a policy check "$HOME_A/bad.toml" --json
printf '[[case]]\npath = "%s/a.key"\nexpect = "deny"\n[[case]]\npath = "/usr/bin/env"\nexpect = "deny"\n' \
    "$WS_A" >"$HOME_A/cases.toml"
valid policy policy-test 1 as_a policy test "$HOME_A/cases.toml" --json

valid sandbox plan 0 as_a sandbox linux --print-plan --json
valid debug plan 0 as_a debug landlock --print-plan --json
valid sandbox plan 0 as_a sandbox --print-plan --embedded -s danger-full-access --json
ON=err valid sandbox event 125 as_a sandbox linux --json -P nosuch -- true
ON=err valid sandbox event 124 as_a sandbox linux --json --timeout 0.3 -- sleep 5
ON=err valid sandbox event 124 as_a sandbox linux --json -c cordon.limits.wall_s=1 -- sleep 5
valid sandbox plan 0 as_a sandbox linux -c cordon.limits.open_files=100 --print-plan --json
ON=err valid sandbox event 0 as_a sandbox linux --embedded --log-denials --json -- true
[[ $OUT == *'"event":"notice"'* ]] || fail "no notice: $(got)"
if at_access; then
    ON=err valid sandbox event 0 as_a sandbox linux --log-denials --json -- perl -e \
        'for (1 .. 3000) { open(my $f, "<", "a.key") and die "read" }'
    valid violations event 0 "$CORDON" violations --json
    [[ $OUT == *'"event":"denied"'* && $OUT == *'"event":"missed"'* ]] || fail "$(got)"
else
    echo violations >>"$TOP/verbs" # there is nothing to print
fi

# The planner for macOS takes no patterns yet, and that for Windows would look for matches on its disk.
printf '[permissions.filesystem]\ndeny_read = ["%s"]\n' "$WS_A/a.key" | managed_codex
printf '[permissions.filesystem]\ndeny_read = ["/srv/x"]\n' >"$HOME_A/requirements.toml"
key=$("$CORDON" policy keygen "$TOP/private.key") || fail "no key"
"$CORDON" policy sign --key "$TOP/private.key" --generation 7 "$HOME_A/requirements.toml" \
    >"$HOME_A/signed" || fail "not signed"
valid policy policy-verify 0 as_a policy verify --public-key "$key" --json "$HOME_A/signed"
valid policy failure 1 as_a policy verify --public-key "$key" --json "$HOME_A/requirements.toml"

for system in macos windows; do
    valid sandbox plan 0 as_a sandbox "$system" --print-plan --json
done

# Every verb that has --json, and every schema, was in it.
"$CORDON" completion bash | sed -nE "s/^ *([a-z]+)\) options='[^']*--json.*/\1/p" | sort >"$TOP/wanted"
[ -s "$TOP/wanted" ] || fail "no verb has --json"
diff "$TOP/wanted" <(sort -u "$TOP/verbs") || fail "verbs that print JSON are not validated"
diff "$TOP/schemas" <(sort -u "$TOP/used") || fail "schemas are not used"
echo "schema: ok, $(wc -l <"$TOP/used") outputs"
