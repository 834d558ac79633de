#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clean_root.sh [--only-root]: both README commands in a Debian 12 root with nothing but git.
#
# The root is made by mmdebstrap (minbase, git, ca-certificates) and entered by systemd-nspawn:
#   1. as a user without sudo, nothing installed: one line that names what to install, exit 1
#   2. as root:     ./dev run sandbox linux -- CMD, ./dev run sandbox linux, ./dev test
#   3. as the user: the same, in a clone of his own; and the first in root's clone
# The host's apt sources, apt options, proxy variables and resolver are read when this runs and
# are in no file of the project. The root is removed, whatever happened.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/../support/debian_root.sh"
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
USER_NAME=plain
MACHINE=cordon-clean-$$
SPACE=
FIGURE=

if ((EUID != 0)); then
    echo "needs root, for mmdebstrap and systemd-nspawn"
    exit 77
fi

finish() {
    local status=$?
    [[ -z $SPACE ]] || rm -rf --one-file-system "$SPACE"
    rmdir "/run/systemd/nspawn/propagate/$MACHINE" 2>/dev/null || true
    [[ -z $FIGURE ]] || printf 'figure: %s\n' "$FIGURE"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

make_root() {
    local root=$1
    debian_root "$root" git,ca-certificates
    chroot "$root" useradd --create-home --shell /bin/bash "$USER_NAME"
    # Fresh clones, as a person has them; of the commits, not of what is only in the work tree.
    git -c safe.directory='*' clone -q --no-hardlinks "$SOURCE" "$root/srv/cordon"
    git -c safe.directory='*' clone -q --no-hardlinks "$SOURCE" "$root/home/$USER_NAME/cordon"
    chroot "$root" chown -R "$USER_NAME:" "/home/$USER_NAME/cordon"
}

# inside WHO FOLDER COMMAND: a shell command in the root. The kernel's interfaces stay whole,
# or a user namespace in there could not mount a /proc of its own.
inside() {
    local who=$1 folder=$2 command=$3 name
    local -a environment=()
    for name in http_proxy https_proxy no_proxy; do
        if [[ -n ${!name:-} ]]; then
            environment+=(--setenv="$name=${!name}")
        fi
    done
    SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_LOCK=0 \
        systemd-nspawn --quiet --directory="$ROOTFS" --machine="$MACHINE" --register=no --keep-unit --as-pid2 \
        --console=pipe --capability=all --system-call-filter="$GUEST_CALLS" \
        --resolv-conf=copy-host --bind-ro=/etc/hosts "${environment[@]}" \
        /bin/su "$who" -s /bin/bash -c "cd $folder && $command"
}

# timed NAME WHO FOLDER COMMAND: runs it, and notes the seconds for the figure.
timed() {
    local name=$1 began=$SECONDS
    shift
    printf '== %s: %s: %s\n' "$name" "$1" "$3"
    inside "$@" </dev/null
    printf '== %s: %d s\n' "$name" $((SECONDS - began))
    FIGURE+="${FIGURE:+, }$name $((SECONDS - began)) s"
}

# Without packages and without sudo: exactly one line, and it names them.
refused_in_one_line() {
    local out status=0
    # What systemd-nspawn has to say itself is not part of the answer.
    out=$(inside "$USER_NAME" "/home/$USER_NAME/cordon" './dev run sandbox linux -- true 2>&1' \
        </dev/null 2>/dev/null) || status=$?
    printf '%s\n' "$out"
    [[ $status == 1 && $(wc -l <<<"$out") == 1 && $out == *" gcc "* ]]
}

readme_commands() {
    local name=$1 who=$2 folder=$3
    local work='sh -c "id -un && git --version && touch made && rm made"'
    timed "$name run" "$who" "$folder" "./dev run sandbox linux -c sandbox_mode=workspace-write -- $work"
    timed "$name demo" "$who" "$folder" "./dev run sandbox linux"
    timed "$name test" "$who" "$folder" "./dev test"
}

SPACE=$(mktemp -d /var/tmp/cordon-root.XXXXXX)
ROOTFS=$SPACE/root
make_root "$ROOTFS"
FIGURE="root made in $SECONDS s"
if [[ ${1:-} == --only-root ]]; then
    inside root / 'git --version && ls /srv/cordon/dev && apt-get -q update'
    inside "$USER_NAME" / 'id && unshare -Urpf --mount-proc true'
    exit 0
fi
refused_in_one_line
readme_commands root root /srv/cordon
readme_commands user "$USER_NAME" "/home/$USER_NAME/cordon"
# A clone of another owner: built in the user's own cache.
timed "user in root's clone" "$USER_NAME" /srv/cordon './dev run sandbox linux -- true'
