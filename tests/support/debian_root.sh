# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A Debian 12 root made by mmdebstrap. Sources, options, proxy and keys of apt are the host's,
# read when this runs; none of them is in a file of the project.

# What systemd-nspawn would refuse its guest, and a machine of its own would not.
GUEST_CALLS='@mount @keyring bpf perf_event_open fanotify_init fanotify_mark open_by_handle_at
    landlock_create_ruleset landlock_add_rule landlock_restrict_self'

# The host's own source files that serve bookworm, deb822 or one-line; third parties' do not.
apt_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
        if [[ -e $file ]] &&
            grep -Eq '^(Suites:|deb )(.*[[:space:]])?bookworm([[:space:]]|$)' "$file"; then
            printf '%s\n' "$file"
        fi
    done
}

# Options of the host's apt that decide how packages are reached.
apt_options() {
    apt-config dump | grep -E '^Acquire::(https?::(Proxy|Verify|CaInfo)|Check-|Retries|ForceIPv4)' ||
        true
}

# debian_root TARGET PACKAGE,...: a folder, or an archive by its ending.
debian_root() {
    local target=$1 packages=$2 options status=0
    local -a sources setup=()
    mapfile -t sources < <(apt_sources)
    options=$(mktemp)
    apt_options >"$options"
    if compgen -G '/etc/apt/auth.conf.d/*' >/dev/null; then
        setup+=(--setup-hook='mkdir -p "$1/etc/apt/auth.conf.d"'
            --setup-hook='cp /etc/apt/auth.conf.d/* "$1/etc/apt/auth.conf.d/"')
    fi
    mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
        --aptopt="$options" "${setup[@]}" bookworm "$target" "${sources[@]}" || status=$?
    rm -f "$options"
    return "$status"
}
