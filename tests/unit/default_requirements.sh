#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# default_requirements.sh CORDON FILE: the default requirements file says nothing but comments,
# is valid, and so is what each of its examples says. Relative names, as the manual has them.
set -euo pipefail
cordon=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if grep -qv '^\(#\|$\)' "$2"; then
    echo "more than comments: $(grep -v '^\(#\|$\)' "$2")"
    exit 1
fi
cd "$work"
cp "$2" requirements.toml
"$cordon" policy check requirements.toml
sed -n 's/^#\([[a-z]\)/\1/p' "$2" >requirements-examples.toml
[[ $(wc -l <requirements-examples.toml) -ge 8 ]] || {
    echo "no examples found"
    exit 1
}
"$cordon" policy check requirements-examples.toml
