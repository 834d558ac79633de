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

# Options of the host's apt that decide how packages are reached; and each file is asked for again.
apt_options() {
    apt-config dump | grep -E '^Acquire::(https?::(Proxy|Verify|CaInfo)|Check-|ForceIPv4)' || true
    echo 'Acquire::Retries "5";'
}

# debian_root TARGET PACKAGE,...: a folder, or an archive by its ending.
debian_root() {
    local target=$1 packages=$2 options said status=0
    local -a sources setup=()
    mapfile -t sources < <(apt_sources)
    options=$(mktemp)
    said=$(mktemp)
    apt_options >"$options"
    if compgen -G '/etc/apt/auth.conf.d/*' >/dev/null; then
        setup+=(--setup-hook='mkdir -p "$1/etc/apt/auth.conf.d"'
            --setup-hook='cp /etc/apt/auth.conf.d/* "$1/etc/apt/auth.conf.d/"')
    fi
    # Its own descriptors must come out below 10: dash(1), which it has write to one, knows no other.
    (
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || [ "$fd" = 255 ] || eval "exec $fd>&-"
        done
        exec mmdebstrap --verbose --mode=root --variant=minbase --include="$packages" \
            --aptopt="$options" "${setup[@]}" bookworm "$target" "${sources[@]}"
    ) >"$said" 2>&1 || status=$?
    [ "$status" = 0 ] || grep -E '^(E|W|Err|Error|Fehler)|Could not|Unable|failed' "$said" | cut -c1-300 | tail -n 12
    rm -f "$options" "$said"
    return "$status"
}

# root_archive PACKAGE,...: the archive's path; made where it is not there yet.
root_archive() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/cordon/roots archive pause
    archive=$cache/bookworm-$(printf '%s' "$1" | sha256sum | cut -c1-12).tar
    mkdir -p "$cache"
    exec 8>"$cache/.lock"
    flock 8
    if [[ ! -e $archive ]]; then
        # A mirror that fails may answer a little later.
        for pause in 15 45 0; do
            rm -f "$archive.new.tar"
            debian_root "$archive.new.tar" "$1" >&2 && mv "$archive.new.tar" "$archive" && break
            sleep "$pause"
        done
    fi
    exec 8>&-
    printf '%s\n' "$archive"
}

# Names of the packages that a package depends on.
depends() {
    dpkg-deb -f "$1" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/[[:space:]]//g'
}

# package NUMBER: that of the service, in the version with this number.
package() {
    "$(dirname "${BASH_SOURCE[0]}")/../../dev" package "$1" | grep '/cordon_.*\.deb$'
}

# system_root FOLDER PACKAGE,...: one that systemd boots, in which the service's package and these
# can be installed.
system_root() {
    local old archive
    old=$(package 1) || return
    archive=$(root_archive "systemd,systemd-sysv,dbus,libpam-systemd,$(depends "$old" | paste -sd,)${2:+,$2}") ||
        return
    mkdir "$1"
    tar -C "$1" -xpf "$archive"
}

# cases_root FOLDER: such a one with the package, cases of tests/adversarial and what those run, as
# tests/system/booted/cases.sh expects it.
cases_root() {
    local here probes=tests/adversarial/probes units=tests/unit
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
    system_root "$1" git,procps,python3 || return
    mkdir -p "$1/srv/test/source/tests" "$1/srv/test/build/"{$probes,$units}
    cp -r "$here/adversarial" "$here/support" "$here/system" "$1/srv/test/source/tests/"
    cp "$CORDON_BUILD/$probes"/* "$1/srv/test/build/$probes/"
    find "$CORDON_BUILD/$units" -maxdepth 1 -name 'test_dfa*' -type f -exec cp -t "$1/srv/test/build/$units" {} +
    cp "$here/system/booted"/* "$1/srv/test/"
    cp "$(package 1)" "$1/srv/test/cordon.deb"
}
