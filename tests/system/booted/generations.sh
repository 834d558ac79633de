# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The managed file changes while jobs of two users run: each job has one generation, whole.

JOBS_EACH=60
CHANGED='the managed policy has changed'

# Two rules that are never in force together, each in three words of one line.
rules() {
    printf '[permissions.filesystem]\ndeny_read = ["/srv/secret", "/srv/gen/%s", "/**/*.%s"]\n' "$1" "$1"
}

# Every way there is: replacement alone, reload, SIGHUP, and twice at once.
change_for_ever() {
    local i=0 side=left
    while [[ ! -e /srv/gen/stop ]]; do
        i=$((i + 1))
        [[ $side == left ]] && side=right || side=left
        require "$(rules $side)"
        case $((i % 3)) in
        1) systemctl reload cordond.service ;;
        2) kill -HUP "$(systemctl show -P MainPID cordond.service)" ;;
        esac
        sleep 0.0$((i % 5 + 1))
    done
    echo "$i" >/srv/gen/changes
}


case_generations() {
    local user out changer left='left/f- right/f+ x.left- x.right+ '
    local right='left/f+ right/f- x.left+ x.right- '
    mkdir -p /srv/gen/left /srv/gen/right
    echo one | tee /srv/gen/{left,right}/f /srv/gen/x.{left,right} >/dev/null
    require "$(rules left)"
    change_for_ever &
    changer=$!
    login bob bash /srv/test/look.sh "$JOBS_EACH" >/srv/gen/bob.out &
    local bob=$!
    login alice bash /srv/test/look.sh "$JOBS_EACH" >/srv/gen/alice.out
    wait "$bob"
    touch /srv/gen/stop
    wait "$changer"
    for user in alice bob; do
        out=/srv/gen/$user.out
        # A slow machine may never be done before the next change: refused, with the reason.
        [[ $(grep -c '^status 0$' "$out") -ge $((JOBS_EACH / 2)) &&
            $(grep -c '^status 125$' "$out") == $(grep -c "^cordon: $CHANGED" "$out") ]] ||
            fail "$user: $(grep -e '^status' -e '^cordon' "$out" | sort | uniq -c)"
        ! grep -vxF -e "$left$left" -e "$right$right" -e 'status 0' -e 'status 125' "$out" |
            grep -v '^cordon: ' || fail "$user: a job saw two generations, or none"
    done
    one_rule_each_generation
    echo "figure: $((2 * JOBS_EACH)) jobs during $(cat /srv/gen/changes) changes," \
        "left $(cat /srv/gen/*.out | grep -cF "$left$left")," \
        "right $(cat /srv/gen/*.out | grep -cF "$right$right")"
    [[ $(cat /srv/gen/*.out | grep -cF "$left$left") -ge 5 &&
        $(cat /srv/gen/*.out | grep -cF "$right$right") -ge 5 ]] || fail "the load met one rule alone"
    rm -r /srv/gen
}

# What the records say: jobs of one generation were denied the same things.
one_rule_each_generation() {
    journalctl --sync
    journalctl --quiet --boot -o json _SYSTEMD_UNIT=cordond.service "MESSAGE_ID=$(message_id violation)" |
        grep -F '"/srv/gen/' |
        sed 's/.*"CORDON_GENERATION":"\([1-9][0-9]*\)".*/\1 &/' |
        sed 's/^\([0-9]*\) .*"CORDON_PATH":"[^"]*\(left\|right\)[^"]*".*/\1 \2/' | sort -u >/srv/gen/pairs
    [[ $(wc -l </srv/gen/pairs) -ge 5 ]] || fail "too few generations: $(cat /srv/gen/pairs)"
    [[ -z $(cut -d ' ' -f 1 /srv/gen/pairs | uniq -d) ]] || fail "two rules in one generation:
$(cat /srv/gen/pairs)"
}
