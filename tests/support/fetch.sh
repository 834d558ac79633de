# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of fetched requirements share, on top of service.sh, after harness_enter.

FETCH_PID=

# A /var/lib of this test's own with the spool in it, and the user who may write there.
fetch_enter()
{
    echo "cordon-fetch:x:$((CORDON_TEST_UID + 3)):$((CORDON_TEST_UID + 3))::/:/bin/false" >>/etc/passwd
    echo "cordon-fetch:x:$((CORDON_TEST_UID + 3)):" >>/etc/group
    mount -t tmpfs -o mode=755 cordon-lib /var/lib || exit 1
    fetch_spool
    MOUNTS_BEFORE=$(mount_list)
}

fetch_spool()
{
    install -d -m 755 /var/lib/cordon /etc/cordon
    install -d -m 755 -o cordon-fetch -g cordon-fetch /var/lib/cordon/fetch
}

AS_FETCH=(setpriv --reuid=cordon-fetch --regid=cordon-fetch --clear-groups --inh-caps=-all
    --bounding-set=-all env -i PATH=/usr/bin:/bin)

as_fetch()
{
    "${AS_FETCH[@]}" "$@"
}

start_fetch()
{
    # A function in the background is a shell of its own, and a signal would end only that.
    (exec "${AS_FETCH[@]}" "$CORDON_BUILD/fetch/cordon-fetch" >>"$TOP/fetch.log" 2>&1) &
    FETCH_PID=$!
}

stop_fetch()
{
    [ -n "$FETCH_PID" ] || return 0
    kill -TERM "$FETCH_PID" 2>/dev/null
    wait "$FETCH_PID" 2>/dev/null
    FETCH_PID=
}

# make_ca NAME; make_cert CA NAME ADDRESS...: $TOP/tls/NAME.{pem,key}
make_ca()
{
    install -d -m 755 "$TOP/tls"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$TOP/tls/$1.key" -out "$TOP/tls/$1.pem" 2>/dev/null || fail "no CA"
}

make_cert()
{
    local ca=$1 name=$2 names=DNS:localhost

    shift 2
    names=$names$(printf ',IP:%s' "$@")
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
        -keyout "$TOP/tls/$name.key" -out "$TOP/tls/$name.csr" 2>/dev/null &&
        openssl x509 -req -in "$TOP/tls/$name.csr" -CA "$TOP/tls/$ca.pem" -CAkey "$TOP/tls/$ca.key" \
            -CAcreateserial -days 2 -out "$TOP/tls/$name.pem" 2>/dev/null \
            -extfile <(echo "subjectAltName=$names") || fail "no certificate"
}

# make_signer: PUBLIC_KEY; sign GENERATION PATH...: a signed document that denies these.
make_signer()
{
    PUBLIC_KEY=$("$CORDON" policy keygen "$TOP/signer") || fail "no key"
}

sign()
{
    local generation=$1

    shift
    printf '[permissions.filesystem]\ndeny_read = [%s]\n' "$(printf '"%s", ' "$@")" \
        >"$TOP/requirements.toml"
    "$CORDON" policy sign "$TOP/requirements.toml" --key "$TOP/signer" --generation "$generation"
}

# The doctor's findings of one area, or fail: doctor_has REGEX.
doctor_has()
{
    "$CORDON" doctor >"$TOP/.doctor"
    grep -Eq -- "$1" "$TOP/.doctor" || fail "doctor does not say /$1/: $(grep -A6 '^fetch' "$TOP/.doctor")"
}

log_has()
{
    grep -Eq -- "$2" "$TOP/$1.log"
}
