# SPDX-License-Identifier: Apache-2.0
cordon_test(test_etcd LABEL unit SOURCES test_etcd.c LIBS cordon_fetch_parts)
cordon_test(test_backoff LABEL unit SOURCES test_backoff.c LIBS cordon_fetch_parts)
