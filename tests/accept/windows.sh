#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev accept windows [ROW...]: the acceptance lines of the order about Windows.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TABLE=$CORDON_ROOT/tests/parity/table.txt
MINGW=$CORDON_BUILD_HOME/mingw

# cases PROGRAM TEST...: each of these tests is there and passes; one that is not fails.
cases() {
    local program=$1 test
    shift
    for test in "$@"; do
        "$CORDON_BUILD/tests/unit/$program" "$test" || return 1
    done
}

# plans CASE...: the golden plans of these cases alone.
plans() {
    local folder name status=0
    folder=$(mktemp -d) || return 1
    for name in "$@"; do
        cp -r "$CORDON_ROOT/tests/golden/cases/$name" "$folder/" || status=1
    done
    "$CORDON_BUILD/tests/golden/golden_plans" "$folder" || status=1
    rm -rf "$folder"
    return "$status"
}

# policies NAME...: these are in the table, which is decided alike.
policies() {
    local name
    for name in "$@"; do
        if ! grep -qx "\[policy $name\]" "$TABLE"; then
            echo "no policy $name in the table"
            return 1
        fi
    done
    "$CORDON_BUILD/tests/parity/test_windows_table" "$TABLE"
}

# wine TEST...: these tests of ctest -L wine, each there and passed.
wine() {
    local test
    cmake --build "$MINGW" >/dev/null || return 1
    for test in "$@"; do
        ctest --test-dir "$MINGW" --output-on-failure --no-tests=error -R "^$test\$" || return 1
    done
}

parity_table() {
    local out
    out=$("$CORDON_BUILD/tests/parity/test_windows_table" "$TABLE") || return 1
    echo "figure: $out"
    awk '{exit !($3 >= 300)}' <<<"$out"
}

parity_random() {
    local seed out all=0
    for seed in 1 2 3 4 "$(date +%s)"; do
        out=$("$CORDON_BUILD/tests/parity/test_windows_random" "$seed") || { echo "$out"; return 1; }
        all=$((all + $(sed -n 's/^\([0-9]*\) cases of .*/\1/p' <<<"$out")))
    done
    echo "figure: $all cases of 5 seeds, none decided otherwise"
    ((all >= 50000))
}

parity_wine() {
    wine wine/test_wine_parity wine/test_wine_parity_random unit/test_windows_table
}

missing_path() {
    policies missing-deny exact-deny && plans win-exact-missing &&
        cases test_plan_windows a_missing_path_is_made_by_what_its_name_says &&
        cases test_state a_missing_path_is_made_and_goes_with_its_last_row
}

glob_snapshot() {
    policies globs bounded-walk && plans win-glob-depth &&
        cases test_win_scan the_label_says_what_the_scan_did_not_see
}

junction() {
    policies linked behind-a-link reopened-below-a-link-twice && plans win-junction &&
        cases test_targets a_junction_and_what_it_leads_to_are_both_denied \
            a_name_through_a_junction_has_its_entry_by_both_names
}

junction_cycle() {
    plans win-junction-cycle &&
        cases test_win_scan a_lattice_of_junctions_is_walked_once_per_directory
}

spellings() {
    policies letters stream dropped-end device shortened && plans win-spellings &&
        cases test_win_path every_spelling_has_one_normal_form_or_a_refusal_that_says_why
}

two_sessions() {
    cases test_state two_sessions_with_different_policies_share_a_path_by_count &&
        cases test_state_below what_was_found_below_is_everyones_who_denies_the_folder
}

relaxed() {
    cases test_state a_relaxed_policy_leaves_nothing_of_the_stricter_one
}

crash() {
    cases test_state_crash a_crash_at_any_step_leaves_nothing_once_nobody_holds_anything \
        a_crash_while_recovering_from_one_does_no_harm_either \
        no_crash_takes_off_what_another_session_holds
}

half_way() {
    cases test_state a_failed_apply_takes_back_all_it_did_and_nothing_else
}

narrower() {
    cases test_acl a_narrower_entry_does_not_count_as_there
}

reopened() {
    policies reopened reopened-for-writing reopened-outside reopened-between-own-lists &&
        cases test_targets what_is_reopened_behind_a_link_is_not_denied_again
}

# The other cases of that name are what it can do.
restricted_token() {
    local -a refused=()
    local file
    for file in "$CORDON_ROOT"/tests/golden/cases/win-embedded*/windows.plan; do
        grep -q '^refused' "$file" && refused+=("$(basename "$(dirname "$file")")")
    done
    plans "${refused[@]}" || return 1
    echo "figure: ${#refused[@]} policies refused, each with its message"
    ((${#refused[@]} >= 8))
}

managed_plan() {
    policies managed managed-read-only managed-workspace-write managed-full-access managed-override \
        managed-sandbox-mode-override managed-and-profile-danger-full-access \
        managed-and-profile-full-and-override managed-and-profile-override-of-entries
}

# golden TEST...: these traces, each there and as its file says.
golden() {
    local test
    for test in "$@"; do
        "$CORDON_BUILD/tests/golden/golden_calls" "$test" || return 1
    done
}

# From the policy to the process and its end; what the system makes of it is a row of verify.ps1.
calls_launch() {
    golden a_whole_launch a_whole_launch_that_fails_at_its_end \
        a_whole_launch_of_the_restricted_token a_whole_start &&
        cases test_job_plan a_policy_becomes_a_job_that_runs &&
        cases test_job nothing_runs_before_all_that_keeps_it_in_is_there \
            a_job_ends_before_what_keeps_it_in_goes &&
        wine wine/test_wine_job
}

# What a worker sends is not believed: each weaker or malformed one is refused, and no managed entry
# is its to leave out. By the real programs as far as Wine goes, which is refused for what it lacks.
hostile_order() {
    cases test_win_order a_managed_denial_cannot_be_left_out \
        a_grant_at_or_below_what_a_managed_rule_denies_is_refused \
        a_mode_that_is_not_allowed_is_refused \
        embedded_mode_takes_what_its_token_holds_and_no_more \
        flags_that_contradict_each_other_are_refused unknown_steps_and_kinds_are_refused \
        a_path_in_any_other_than_its_normal_form_is_refused \
        blocks_that_are_cut_or_longer_are_refused \
        no_damaged_order_loses_a_managed_entry &&
        ctest --test-dir "$CORDON_BUILD" --no-tests=error -R '^fuzz-replay/win_order$' &&
        wine wine/test_wine_enforce
}

failure_paths() {
    cases test_acl every_call_that_fails_is_told_and_leaves_no_handle &&
        cases test_state_crash every_call_that_fails_refuses_the_apply_or_does_no_harm \
            every_call_that_fails_at_the_start_is_an_error_or_does_no_harm &&
        cases test_launch every_call_that_fails_leaves_nothing_running_or_open &&
        cases test_job every_call_that_fails_refuses_the_job_and_undoes_the_rest \
            a_token_that_is_more_than_was_asked_for_is_none &&
        cases test_job a_job_that_does_not_end_keeps_its_entries_and_filters &&
        cases test_win_start every_call_that_fails_refuses_the_job_and_leaves_nothing &&
        cases test_win_start_torture a_start_that_runs_out_of_memory_leaves_nothing &&
        cases test_account every_call_that_fails_leaves_no_half_made_account &&
        cases test_install \
            every_call_of_an_installation_that_fails_leaves_what_a_second_run_finishes \
            every_call_of_a_removal_that_fails_leaves_what_a_second_run_finishes &&
        cases test_look every_call_that_fails_is_an_error_or_opens_nothing \
            every_call_of_a_listing_that_fails_ends_it &&
        cases test_state_torture an_apply_that_runs_out_of_memory_leaves_nothing &&
        cases test_state_revert who_cannot_be_himself_again_ends
}

# The first run makes the root and the libraries, if they are not there; the second is timed.
wine_time() {
    local out=$ACCEPT_LOGS/wine.out took
    "$DEV" wine || return 1
    local began=$SECONDS
    "$DEV" wine >"$out" || { cat "$out"; return 1; }
    took=$((SECONDS - began))
    echo "figure: $(grep -o 'out of [0-9]*' "$out" | tail -n 1 | cut -d' ' -f3) tests, $took s"
    ((took <= 360))
}

in_ci() {
    grep -qx 'exec ./dev test --all </dev/null' "$CORDON_ROOT/.ci/run" &&
        grep -qx '    step wine wine' "$DEV"
}

# sources BUILD: what of broker, proto and policy that build compiles.
sources() {
    python3 -c 'import json, os, sys
tree, build = map(os.path.realpath, sys.argv[1:])
rows = json.load(open(os.path.join(build, "compile_commands.json")))
files = {os.path.relpath(os.path.realpath(row["file"]), tree) for row in rows}
print(*sorted(file for file in files if file.startswith(("broker/", "proto/", "policy/"))), sep="\n")' \
        "$CORDON_ROOT" "$1"
}

# The same sources make both systems' broker, but for what the note names; none of them asks which
# system this is; and what they make runs.
by_the_port() {
    local here there file note status=0
    cmake --build "$MINGW" >/dev/null || return 1
    here=$(sources "$CORDON_BUILD") && there=$(sources "$MINGW") || return 1
    note=$(sed -n '/^## What had to move/,/^## The /p' "$CORDON_ROOT/platform/windows/README.md")
    while read -r file; do
        if ! grep -qF "\`$file\`" <<<"$note"; then
            echo "$file is compiled for one system alone, and the note does not say why"
            status=1
        fi
    done < <(comm -3 <(echo "$here") <(echo "$there") | tr -d '\t')
    echo "figure: $(comm -12 <(echo "$here") <(echo "$there") | wc -l) of $(wc -l <<<"$here") sources are both systems'"
    "$DEV" lint >/dev/null || { echo "the lint finds something"; status=1; }
    wine wine/test_wine_broker wine/test_wine_life wine/test_wine_cordon wine/test_wine_host || status=1
    return "$status"
}

accept_begin windows "$@"
row wine "ctest -L wine, with a warm cache, < 6 minutes" wine_time
row in-ci "ctest -L wine is part of .ci/run, which installs what it needs" in_ci
row parity-table ">= 300 written cases, policy/eval and planned lists alike" parity_table
row parity-random "10 000 random ones, alike" parity_random
row parity-wine "the same by AccessCheck under Wine" parity_wine
row missing-path "an exact missing path" missing_path
row glob-snapshot "a glob is a snapshot, with depth" glob_snapshot
row junction "alias and target of a junction" junction
row junction-cycle "a cycle of junctions" junction_cycle
row spellings "case and spelling variants" spellings
row reopened "what is reopened below a denied directory" reopened
row two-sessions "two sessions, one path, different policies: counted" two_sessions
row relaxed "policy relaxed: the entry is gone" relaxed
row crash "at every step of the journal" crash
row half-way "an apply that fails half-way: all undone, refused" half_way
row narrower "an entry with a narrower mask stands there already" narrower
row restricted-token "refuses each policy that it cannot enforce, with its message" restricted_token
row managed-plan "a managed deny holds through -c, -s and every profile, two SIDs: plans" managed_plan
row managed-keys "the same on registry keys under Wine" wine wine/test_wine_keys
row calls "calls of a launch's access lists, a relaxed policy, a failed apply, an installation: golden" \
    golden a_launch a_relaxed_policy a_failed_apply an_installation_and_its_removal
row calls-launch "calls of one whole launch, and of one that fails at its end: golden" calls_launch
row hostile-order "what a worker orders is held against the managed rules; jobs by the real programs" hostile_order
row failure-paths "every call of engine, state, launch, start and disk reader fails once" failure_paths
row os-if "no OS #if outside platform/" "$DEV" lint
row by-the-port "broker, proto, policy: the same sources on both systems; what moved is told" by_the_port
accept_end
