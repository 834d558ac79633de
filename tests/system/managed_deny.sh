#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A managed deny_read in /etc/codex/requirements.toml holds through -c, $HOME, CODEX_HOME,
# -s danger-full-access and every profile, for two users, in the service and embedded.
set -u
. "$(dirname "$0")/../support/service.sh"
harness_enter "$@"

SECRET=the-content-nobody-may-see
CHECKS=0

lay_out()
{
    local user home

    fresh_homes
    mkdir -p "$TOP/company"
    echo "$SECRET" >"$TOP/company/plan.txt"
    chmod -R a+rX "$TOP/company"
    for user in a b; do
        home=$TOP/home/$user
        mkdir -p "$home/.ssh" "$home/ws/sub" "$home/fake/.codex" "$home/.config/cordon"
        echo "$SECRET" | tee "$home/.ssh/id" "$home/ws/sub/x.secret" >/dev/null
        : >"$home/.ssh/only-in-a-listing"
        echo free >"$home/ws/free.txt"
        printf 'sandbox_mode = "danger-full-access"\n' >"$home/fake/.codex/config.toml"
        cp "$home/fake/.codex/config.toml" "$home/fake/config.toml"
        cat >"$home/.codex/config.toml" <<TOML
default_permissions = "child"
[permissions.everything]
[permissions.everything.filesystem]
":root" = "write"
"~/.ssh" = "write"
"$TOP/company" = "write"
"$home/ws/sub/x.secret" = "write"
[permissions.everything.network]
enabled = true
[permissions.child]
extends = ":workspace"
[permissions.child.filesystem]
"~/.ssh/id" = "read"
TOML
        chown -R "cordon-$user:" "$home"
    done
    managed_codex <<TOML
[permissions.filesystem]
deny_read = ["~/.ssh", "$TOP/company/plan.txt", "$TOP/home/**/*.secret"]
TOML
}

# try USER VARIABLE OPTION...: none of the three objects is read or changed; the rest is.
try()
{
    local user=$1 variable=$2 home file

    shift 2
    home=$TOP/home/${user#cordon-}
    for file in "$home/.ssh/id" "$TOP/company/plan.txt" "$home/ws/sub/x.secret"; do
        run with "$user" "$variable" "$@" -- cat "$file"
        expect_denied "$SECRET" "$user $variable $* $file"
        CHECKS=$((CHECKS + 1))
    done
    run with "$user" "$variable" "$@" -- ls "$home/.ssh"
    expect_denied only-in-a-listing "$user $variable $* listing" "$DENIAL|cannot open"
    run with "$user" "$variable" "$@" -- sh -c "echo x >>'$home/.ssh/id'"
    expect_denied "$SECRET" "$user $variable $* writing"
    grep -qx "$SECRET" "$home/.ssh/id" || fail "$user $variable $*: was changed"
    run with "$user" "$variable" "$@" -- cat "$home/ws/free.txt"
    expect_ok "$user $variable $*: a free file"
    CHECKS=$((CHECKS + 3))
}

with()
{
    local user=$1 variable=$2

    shift 2
    cd "$TOP/home/${user#cordon-}/ws" &&
        as_user "$user" "$variable" timeout 20 "$CORDON" sandbox linux "$@"
}

for CORDON_MODE in service embedded; do
    lay_out
    for user in cordon-a cordon-b; do
        home=$TOP/home/${user#cordon-}
        try "$user" A=b
        for mode in read-only workspace-write danger-full-access; do
            try "$user" A=b -s "$mode"
        done
        for profile in :read-only :workspace :danger-full-access everything child; do
            try "$user" A=b -P "$profile"
        done
        try "$user" A=b -c 'sandbox_mode="danger-full-access"'
        try "$user" A=b -c 'default_permissions=":danger-full-access"'
        try "$user" A=b -P everything -c 'permissions.everything.filesystem={":root"="write"}'
        try "$user" "HOME=$home/fake"
        try "$user" "HOME=$home/fake" -s danger-full-access
        try "$user" "CODEX_HOME=$home/fake"
        try "$user" "CODEX_HOME=$home/fake" -P :danger-full-access
        try "$user" "XDG_CONFIG_HOME=$home/fake"
    done
    run with cordon-a A=b --embedded -s danger-full-access -- cat "$HOME_A/.ssh/id"
    expect_denied "$SECRET" "--embedded"
    expect_clean
    stop_service
    rm -rf /etc/codex "$TOP/company"
done
expect_clean
echo "figure: $CHECKS checks, 2 users, service and embedded"
