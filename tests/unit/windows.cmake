# SPDX-License-Identifier: Apache-2.0
cordon_test(test_sid LABEL unit SOURCES test_sid.c LIBS cordon_sd)
cordon_test(test_sd LABEL unit SOURCES test_sd.c ../support/sddl.c LIBS cordon_sd)
cordon_test(test_sd_access LABEL unit SOURCES test_sd_access.c ../support/sddl.c LIBS cordon_sd)
cordon_test(test_trust LABEL unit SOURCES test_trust.c ../support/sddl.c LIBS cordon_sd)
