/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/trust.h"

#include "tests/support/check.h"
#include "tests/support/sddl.h"

#define FILE_SOURCE TRUST_FILE, TRUST_SOURCE
#define FILE_HOLDER TRUST_FILE, TRUST_HOLDER
#define FILE_ABOVE TRUST_FILE, TRUST_ABOVE
#define KEY_SOURCE TRUST_KEY, TRUST_SOURCE
#define KEY_HOLDER TRUST_KEY, TRUST_HOLDER
#define KEY_ABOVE TRUST_KEY, TRUST_ABOVE
#define INSTALLER "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
#define SOMEONE "S-1-5-21-1-2-3-1001"
#define SAFE "D:P(A;;FA;;;SY)(A;;FA;;;BA)"

/* One object; said NULL: it is trusted. */
struct row {
    const char *what;
    enum trust_kind kind;
    enum trust_role role;
    const char *sd;
    const char *said;
};

static const struct row rows[] = {
    {"system alone", FILE_SOURCE, "O:SYD:P(A;;FA;;;SY)", NULL},
    {"administrators own", FILE_SOURCE, "O:BA" SAFE, NULL},
    {"installer owns", FILE_SOURCE, "O:" INSTALLER SAFE "(A;;FA;;;" INSTALLER ")", NULL},
    {"users read", FILE_SOURCE, "O:BA" SAFE "(A;;FR;;;BU)", NULL},
    {"users read and run", FILE_SOURCE, "O:BA" SAFE "(A;;0x1200a9;;;BU)", NULL},
    {"everyone reads, generic", FILE_SOURCE, "O:BA" SAFE "(A;;GR;;;WD)", NULL},
    {"an empty list", FILE_SOURCE, "O:SYD:", NULL},
    {"inherited entries of theirs", FILE_SOURCE, "O:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)", NULL},
    {"denials do no harm", FILE_SOURCE, "O:BAD:(D;;FW;;;BU)(A;;FA;;;BA)", NULL},
    {"only passed on", FILE_HOLDER, "O:BA" SAFE "(A;OICIIO;FA;;;BU)", NULL},
    {"the creator, who is one of them", FILE_HOLDER, "O:BA" SAFE "(A;OICIIO;GA;;;CO)", NULL},
    {"the creator, in force", FILE_SOURCE, "O:BA" SAFE "(A;;FA;;;CO)", NULL},
    {"owner rights", FILE_SOURCE, "O:BA" SAFE "(A;;FA;;;OW)", NULL},
    {"another grants only listing", FILE_HOLDER, "O:BA" SAFE "(A;;0x1;;;BU)", NULL},

    {"a user owns", FILE_SOURCE, "O:" SOMEONE SAFE, "is owned by " SOMEONE},
    {"users own", FILE_SOURCE, "O:BU" SAFE, "is owned by S-1-5-32-545"},
    {"nobody owns", FILE_SOURCE, SAFE, "is owned by nobody"},
    {"the creator owns", FILE_SOURCE, "O:CO" SAFE, "is owned by S-1-3-0"},
    {"a null list", FILE_SOURCE, "O:SYD:NO_ACCESS_CONTROL", "everyone may change it"},
    {"no list", FILE_SOURCE, "O:SY", "everyone may change it"},
    {"users write", FILE_SOURCE, "O:BA" SAFE "(A;;FW;;;BU)",
     "entry 3 of its access list allows "
     "S-1-5-32-545 0x116"},
    {"everyone has all", FILE_SOURCE, "O:BAD:(A;;FA;;;WD)", "entry 1 of its access list"},
    {"generic all", FILE_SOURCE, "O:BA" SAFE "(A;;GA;;;AU)", "allows S-1-5-11"},
    {"generic write", FILE_SOURCE, "O:BA" SAFE "(A;;GW;;;AU)", "allows S-1-5-11 0x116"},
    {"appends", FILE_SOURCE, "O:BA" SAFE "(A;;0x4;;;BU)", "0x4"},
    {"attributes", FILE_SOURCE, "O:BA" SAFE "(A;;0x100;;;BU)", "0x100"},
    {"extended attributes", FILE_SOURCE, "O:BA" SAFE "(A;;0x10;;;BU)", "0x10"},
    {"deletes", FILE_SOURCE, "O:BA" SAFE "(A;;SD;;;BU)", "0x10000"},
    {"changes the list", FILE_SOURCE, "O:BA" SAFE "(A;;WD;;;BU)", "0x40000"},
    {"takes ownership", FILE_SOURCE, "O:BA" SAFE "(A;;WO;;;BU)", "0x80000"},
    {"one user", FILE_SOURCE, "O:BA" SAFE "(A;;0x2;;;" SOMEONE ")", "allows " SOMEONE " 0x2"},
    {"inherited", FILE_SOURCE, "O:BAD:(A;ID;FA;;;BA)(A;ID;0x116;;;BU)", "entry 2"},
    {"under a condition", FILE_SOURCE, "O:BA" SAFE "(XA;;FA;;;BU)", "entry 3"},
    {"denied before it is granted", FILE_SOURCE, "O:BAD:(D;;FW;;;BU)(A;;FA;;;BA)(A;;FW;;;BU)",
     "entry 3"},
    {"another service", FILE_SOURCE, "O:BA" SAFE "(A;;FA;;;S-1-5-80-1-2-3-4-5)", "S-1-5-80-1"},
    {"network service", FILE_SOURCE, "O:BA" SAFE "(A;;FA;;;S-1-5-20)", "S-1-5-20"},
    {"the second of two", FILE_SOURCE, "O:BA" SAFE "(A;;FR;;;BU)(A;;FW;;;BU)", "entry 4"},

    {"a holder where users add", FILE_HOLDER, "O:SY" SAFE "(A;CI;0x2;;;BU)", "0x2"},
    {"a holder where users make directories", FILE_HOLDER, "O:SY" SAFE "(A;CI;0x4;;;BU)", "0x4"},
    {"a holder where users delete children", FILE_HOLDER, "O:SY" SAFE "(A;;0x40;;;BU)", "0x40"},

    /* As Windows sets up C:\ProgramData and C:\. */
    {"%ProgramData%", FILE_ABOVE,
     "O:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)"
     "(A;CI;0x116;;;BU)",
     NULL},
    {"a volume's root", FILE_ABOVE,
     "O:" INSTALLER "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
     "(A;CI;0x4;;;AU)(A;OICIIO;0x1301bf;;;AU)",
     NULL},
    {"%ProgramData% as a holder", FILE_HOLDER, "O:SYD:(A;OICI;FA;;;SY)(A;CI;0x116;;;BU)", "0x116"},
    {"above: deletes children", FILE_ABOVE, "O:SY" SAFE "(A;;0x40;;;BU)", "0x40"},
    {"above: deletes itself", FILE_ABOVE, "O:SY" SAFE "(A;;SD;;;BU)", "0x10000"},
    {"above: modify", FILE_ABOVE, "O:SY" SAFE "(A;OICI;0x1301bf;;;AU)", "0x10000"},
    {"above: full", FILE_ABOVE, "O:SY" SAFE "(A;OICI;FA;;;WD)", "S-1-1-0"},
    {"above: owned by a user", FILE_ABOVE, "O:" SOMEONE SAFE, "is owned by"},

    {"a key", KEY_SOURCE, "O:BAD:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)(A;CI;KR;;;BU)", NULL},
    {"a key, generic read", KEY_SOURCE, "O:SYD:(A;CI;KA;;;SY)(A;CI;GR;;;BU)", NULL},
    {"a key users set", KEY_SOURCE, "O:BAD:(A;;KA;;;BA)(A;;0x2;;;BU)", "0x2"},
    {"a key users write", KEY_SOURCE, "O:BAD:(A;;KA;;;BA)(A;;KW;;;BU)", "entry 2"},
    {"a key users make keys in", KEY_HOLDER, "O:BAD:(A;;KA;;;BA)(A;;0x4;;;BU)", "0x4"},
    {"a key users make links in", KEY_ABOVE, "O:BAD:(A;;KA;;;BA)(A;;0x20;;;BU)", "0x20"},
    {"above a key: users make keys", KEY_ABOVE, "O:BAD:(A;;KA;;;BA)(A;;0x4;;;BU)", NULL},
    {"a key users delete", KEY_ABOVE, "O:BAD:(A;;KA;;;BA)(A;;SD;;;BU)", "0x10000"},
    {"a user's key", KEY_SOURCE, "O:" SOMEONE "D:(A;;KA;;;BA)", "is owned by"},
};

static struct sd sds[4];

static bool row_holds(const struct row *row)
{
    struct trust_object object = {"C:\\x", row->kind, row->role, false, &sds[0]};
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err;

    CHECK(sddl_read(row->sd, &sds[0]));
    err = trust_check(&object, 1, &fault);
    if (row->said == NULL) {
        return err == CORDON_OK;
    }
    return err == CORDON_E_DENIED && strstr(fault.text, row->said) != NULL &&
           strstr(fault.text, "C:\\x") != NULL && strstr(fault.remedy, "Administrators") != NULL;
}

TEST(what_others_may_change_is_not_believed)
{
    size_t failed = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!row_holds(&rows[i])) {
            (void)fprintf(stderr, "  %s: %s\n", rows[i].what, rows[i].sd);
            failed++;
        }
    }
    CHECK(failed == 0);
}

static enum cordon_err check_chain(const char *source, const char *holder, const char *above,
                                   struct cordon_fault *fault)
{
    const struct trust_object chain[] = {
        {"C:\\ProgramData\\cordon\\requirements.toml", FILE_SOURCE, false, &sds[0]},
        {"C:\\ProgramData\\cordon", FILE_HOLDER, false, &sds[1]},
        {"C:\\ProgramData", FILE_ABOVE, false, &sds[2]},
    };

    CHECK(sddl_read(source, &sds[0]) && sddl_read(holder, &sds[1]) && sddl_read(above, &sds[2]));
    return trust_check(chain, 3, fault);
}

TEST(every_parent_is_looked_at_and_the_first_bad_one_named)
{
    static const char safe[] = "O:BA" SAFE;
    struct cordon_fault fault;

    CHECK(check_chain(safe, safe, safe, &fault) == CORDON_OK);
    CHECK(check_chain(safe, "O:BA" SAFE "(A;;FA;;;BU)", safe, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "C:\\ProgramData\\cordon may be changed") != NULL);
    CHECK(check_chain(safe, safe, "O:BU" SAFE, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "C:\\ProgramData is owned by") != NULL);
    CHECK(check_chain("O:BU" SAFE, "O:BU" SAFE, safe, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "requirements.toml is owned by") != NULL);
}

TEST(a_link_is_not_believed)
{
    struct trust_object object = {"C:\\x", FILE_ABOVE, true, &sds[0]};
    struct cordon_fault fault;

    CHECK(sddl_read("O:BA" SAFE, &sds[0]));
    CHECK(trust_check(&object, 1, &fault) == CORDON_E_DENIED);
    CHECK_STR(fault.text, "C:\\x is a link");
}

TEST(an_entry_of_an_unknown_type_is_not_believed)
{
    /* A list of one entry of type 0x13, after the head of a descriptor with an owner. */
    static const uint8_t bytes[] = {
        1, 0, 4,  0x80, 20, 0, 0,    0, 0, 0, 0, 0, 0,  0, 0, 0, 36, 0, 0,    0, 1, 2, 0, 0, 0, 0,
        0, 5, 32, 0,    0,  0, 0x20, 2, 0, 0, 2, 0, 16, 0, 1, 0, 0,  0, 0x13, 0, 8, 0, 0, 0, 0, 0};
    struct trust_object object = {"C:\\x", FILE_SOURCE, false, &sds[0]};
    struct cordon_fault fault;

    CHECK(sd_parse(bytes, sizeof(bytes), &sds[0]) == CORDON_OK);
    CHECK(trust_check(&object, 1, &fault) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "unknown type (0x13)") != NULL);
}

TEST_MAIN()
