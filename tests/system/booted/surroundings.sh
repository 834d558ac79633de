# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a job has of the service: nothing. A probe runs in a login and in a job of that login, and
# the two may differ by what the sandbox's policy does, and by nothing else.

# As `diff LOGIN JOB` says it. Of every job:
EXPECTED=(
    '[<>] space (ipc|uts):.*'                         # namespaces of its own
    '[<>] /proc/self/status (CapBnd|NoNewPrivs|SigIgn|Seccomp|Seccomp_filters):.*' # no privileges; no signal is ignored
    '> mount /dev(/[a-z]*)? (tmpfs|devtmpfs|devpts)'           # a /dev of its own
    '[<>] mount /proc proc'                           # its processes alone
    '[<>] name /dev/.*'
)
# Of one whose mode is not danger-full-access: the places it may change, sockets of the host that
# it may not connect to, no network.
EXPECTED_CONFINED=(
    '> mount (/tmp|/home/alice|/var/tmp) .*'
    '> mount /run/.* tmpfs'
    '[<>] space net:.*'
    '[<>] family-[0-9]* .*'
)

# What the service is limited by, and with it all jobs together; from the unit, since the
# kernel here may lack a controller, and from the control groups up to the root.
LIMITS=(TasksMax MemoryMax MemoryHigh MemorySwapMax CPUQuotaPerSecUSec)

filters() {
    sed -n 's/.*Seccomp_filters:[[:space:]]*//p' "/srv/out/$1" | grep . || echo 0
}

# Bob's runtime directory goes some seconds after his last session: it may be there for the login, and
# not for the job.
bob_is_out() {
    loginctl terminate-user bob 2>/dev/null || true
    wait_for 20 '[[ ! -e /run/user/$(id -u bob) ]]'
}

# differences MODE [own]: of a job against its login; what is expected is left out.
differences() {
    local mode=$1 filters
    bob_is_out
    rm -rf /srv/out && install -d -m 777 /srv/out
    login alice bash /srv/test/probe.sh "$@" || echo "no job: status $?"
    if [[ $mode != danger-full-access ]]; then
        EXPECTED+=("${EXPECTED_CONFINED[@]}")
    fi
    # Every filter that a directive makes is one more, whether its effect shows or not.
    filters=$(($(filters job) - $(filters login)))
    ((filters == 1)) || echo "$filters filters of system calls, not the sandbox's one"
    diff <(sort -u /srv/out/login) <(sort -u /srv/out/job) | grep '^[<>]' |
        grep -vxE -f <(printf '%s\n' "${EXPECTED[@]}") || true
}

limits() {
    local name value group file
    for name in "${LIMITS[@]}"; do
        value=$(systemctl show -P "$name" cordond.service)
        [[ $value == infinity ]] || echo "$name=$value"
    done
    [[ $(systemctl show -P OOMPolicy cordond.service) == continue ]] ||
        echo "one job out of memory ends all"
    group=$(systemctl show -P ControlGroup cordond.service)
    while [[ $group != '' ]]; do
        for file in pids.max memory.max memory.high memory.swap.max; do
            value=$(cat "/sys/fs/cgroup$group/$file" 2>/dev/null) || continue
            [[ $value == max ]] || echo "$group/$file $value"
        done
        value=$(cat "/sys/fs/cgroup$group/cpu.max" 2>/dev/null) && [[ $value != max* ]] &&
            echo "$group/cpu.max $value"
        group=${group%/*}
    done
    return 0
}

none() {
    [[ -z $1 ]] || fail "$2: $1"
}

case_surroundings() {
    local mode
    # As it is after the installation: no rule that would be a difference.
    require ''
    touch /tmp/of-the-host /var/tmp/of-the-host
    for mode in danger-full-access workspace-write; do
        none "$(differences "$mode")" "$mode"
        grep -q 'name /tmp/of-the-host' /srv/out/job || fail "$mode: another /tmp"
    done
    [[ $(wc -l </srv/out/login) -gt 100 ]] || fail "the probe says little"
    none "$(limits)" "limits of all jobs together"
    echo "figure: $(sort -u /srv/out/login | wc -l) facts compared"
}

# What a login has changed for itself holds for its job.
case_carried() {
    require ''
    none "$(differences danger-full-access own)" "not carried"
    for fact in 'rlimit-7 300 400' 'umask 027' '/proc/self/oom_score_adj 321' \
        "nice $(($(nice) + 1))"; do
        grep -q "$fact" /srv/out/job || fail "the login did not have $fact"
    done
}

# Directives that would reach a job: with each of them the comparison above finds something.
REACHING=(PrivateTmp=yes ProtectSystem=strict ProtectHome=yes PrivateDevices=yes PrivateNetwork=yes
    ProtectKernelTunables=yes ProtectControlGroups=yes ProtectProc=invisible
    MemoryDenyWriteExecute=yes RestrictAddressFamilies=AF_UNIX RestrictRealtime=yes
    RestrictSUIDSGID=yes LockPersonality=yes SystemCallFilter=~set_mempolicy
    TasksMax=10 MemoryMax=1G OOMPolicy=stop IOSchedulingClass=idle CPUSchedulingPolicy=batch
    TimerSlackNSec=1s CoredumpFilter=0x1)
# Directives that reach none: a job has these from its caller, or from its policy.
HARMLESS=(Nice=5 UMask=0022 OOMScoreAdjust=500 IgnoreSIGPIPE=no 'CapabilityBoundingSet=~CAP_SYS_TIME')
# What only a privilege can give back; a guest without it gives what is stricter.
WITH_RESOURCE=(LimitNOFILE=200:300 LimitNPROC=1000 LimitCORE=0)

# with_directive DIRECTIVE: what is found with it in the unit.
with_directive() {
    local dropin=/run/systemd/system/cordond.service.d
    mkdir -p "$dropin"
    printf '[Service]\n%s\n' "$1" >"$dropin/test.conf"
    systemctl daemon-reload
    systemctl reset-failed cordond.service 2>/dev/null || true
    # Stopped: the first client starts it.
    systemctl stop cordond.service 2>/dev/null
    differences danger-full-access
    limits
}

case_directives() {
    local directive found effective
    effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/1/status)
    if ((0x$effective >> 24 & 1)); then
        HARMLESS+=("${WITH_RESOURCE[@]}")
    else
        REACHING+=("${WITH_RESOURCE[@]}")
    fi
    for directive in "${REACHING[@]}"; do
        found=$(with_directive "$directive")
        [[ -n $found ]] || fail "$directive reaches no job, or is not noticed"
        echo "$directive: $(head -n 1 <<<"$found")"
    done
    for directive in "${HARMLESS[@]}"; do
        none "$(with_directive "$directive")" "$directive"
    done
    rm -r /run/systemd/system/cordond.service.d
    systemctl daemon-reload
    systemctl stop cordond.service 2>/dev/null
    none "$(differences danger-full-access)" "the unit as it is"
    echo "figure: ${#REACHING[@]} directives noticed, ${#HARMLESS[@]} without effect"
}

# Every line that `systemd-analyze security` finds fault with is explained in the unit.
case_exposure() {
    local name
    systemd-analyze security --no-pager cordond.service >/srv/test/exposure || true
    tail -n 1 /srv/test/exposure
    sed -n 's/^✗ \([A-Za-z]*\).*/\1/p' /srv/test/exposure | sort -u >/srv/test/names
    [[ $(wc -l </srv/test/names) -ge 10 ]] || fail "nothing was found: $(head -n 3 /srv/test/exposure)"
    systemctl cat cordond.service >/srv/test/unit
    while read -r name; do
        grep -qE "^#.*\b$name\b" /srv/test/unit || fail "the unit does not explain $name="
    done </srv/test/names
    echo "figure: $(wc -l </srv/test/names) explained;$(tail -n 1 /srv/test/exposure | cut -d : -f 2)"
}
