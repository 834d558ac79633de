# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Debian 12 that systemd has booted, by systemd-nspawn. A script of tests/system sets MACHINE, a
# name that nothing else on the host has, sources this, and calls guest_begin, guest_root, guest_boot
# and guest_run. Nothing is left on the host: what is fails the script.

. "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"
: "${CORDON_BUILD:?the build tree}" "${MACHINE:?a name}"
GUEST_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
BOOT_SECONDS=60
SPACE='' NSPAWN='' INIT=''

die() {
    printf 'FAIL %s: %s\n' "$MACHINE" "$*"
    exit 1
}

# --- control groups of our own, so that what the guest makes is found again ---

# Mounts of the hierarchies that a systemd wants: v2, and v1's that has no controller.
hierarchies() {
    awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /name=systemd/) {print $2}' /proc/mounts
}

join_groups() {
    local top
    while read -r top; do
        mkdir "$top/$MACHINE" && echo "$BASHPID" >"$top/$MACHINE/cgroup.procs" ||
            echo "no control group can be made in $top"
    done < <(hierarchies)
}

remove_groups() {
    local top
    while read -r top; do
        [[ ! -d $top/$MACHINE ]] || find "$top/$MACHINE" -depth -type d -exec rmdir {} + || true
    done < <(hierarchies)
}

# --- beginning and end ---

# What of this run there is on the host: mounts, folders, control groups, processes.
traces() {
    grep -o "[^ ]*$MACHINE[^ ]*" /proc/self/mountinfo || true
    find /sys/fs/cgroup /run/systemd /var/tmp -maxdepth 4 -name "*$MACHINE*" 2>/dev/null || true
    grep -ls "$MACHINE" /proc/[0-9]*/cgroup || true
}

power_off() {
    [[ -n $NSPAWN ]] || return 0
    if [[ -n $INIT ]]; then
        kill -s RTMIN+4 "$INIT" 2>/dev/null || true
        timeout 20 tail --pid="$NSPAWN" -f /dev/null || true
    fi
    kill -KILL "$NSPAWN" 2>/dev/null || true
    wait "$NSPAWN" 2>/dev/null || true
    NSPAWN=''
}

finish() {
    local status=$?
    trap - EXIT
    power_off
    remove_groups
    rmdir "/run/systemd/nspawn/propagate/$MACHINE" 2>/dev/null || true
    [[ -z $SPACE ]] || rm -rf --one-file-system "$SPACE"
    if [[ -n $(traces) ]]; then
        echo "FAIL $MACHINE: left on the host: $(traces | paste -sd ' ')"
        status=1
    fi
    exit "$status"
}

guest_begin() {
    if ((EUID != 0)); then
        echo "needs root, to boot a system"
        exit 77
    fi
    trap finish EXIT
    trap 'exit 130' INT TERM
    SPACE=/var/tmp/$MACHINE
    mkdir -m 700 "$SPACE"
}

# --- the machine ---

# The process 1 of the guest: what the monitor started.
find_init() {
    local i child
    for ((i = 0; i < BOOT_SECONDS * 10; i++)); do
        kill -0 "$NSPAWN" 2>/dev/null || return 1
        for child in $(cat "/proc/$NSPAWN/task/$NSPAWN/children" 2>/dev/null); do
            if grep -q '^NSpid:.*[[:space:]]1$' "/proc/$child/status" 2>/dev/null; then
                INIT=$child
                return 0
            fi
        done
        sleep 0.1
    done
    return 1
}

inside() {
    nsenter --target "$INIT" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

guest_boot() {
    (
        join_groups
        # The kernel's interfaces stay whole, as on a machine of its own.
        exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 \
            SYSTEMD_NSPAWN_LOCK=0 \
            setpriv --pdeathsig KILL systemd-nspawn --quiet --directory="$SPACE/root" --machine="$MACHINE" --register=no \
            --keep-unit --boot --console=pipe --private-network --capability=all \
            --system-call-filter="$GUEST_CALLS"
    ) >"$SPACE/boot.log" 2>&1 </dev/null &
    NSPAWN=$!
    find_init || die "systemd-nspawn cannot start here: $(tail -n 3 "$SPACE/boot.log" | paste -sd ' ')"
    for ((i = 0; i < BOOT_SECONDS * 10; i++)); do
        case $(inside systemctl is-system-running 2>/dev/null) in
        running | degraded) return 0 ;;
        esac
        sleep 0.1
    done
    die "the guest did not boot in $BOOT_SECONDS s: $(inside systemctl list-jobs --no-legend | head -n 3)"
}

# guest_run COMMAND...: as a unit of its own, in a control group that has "cordon-test" in its name.
guest_run() {
    inside systemd-run --quiet --pipe --wait --collect --unit=cordon-test --slice=cordon-test.slice \
        -p KillMode=mixed "$@" </dev/null
}
