/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security descriptors in memory: parsed from hostile bytes, edited entry by entry, inherited, and
 * asked who may do what. Pure. Layouts: [MS-DTYP] 2.4.4 (entries), 2.4.5 (lists), 2.4.6
 * (descriptors). Only the DACL is edited; an entry that is not ours stays byte for byte.
 *
 * A struct sd is 64 KiB, the most a list may be (its size is 16 bits): no function here allocates,
 * so nothing here runs out of memory. Keep it off small stacks.
 */
#ifndef CORDON_PLATFORM_WINDOWS_SD_H
#define CORDON_PLATFORM_WINDOWS_SD_H

#include "platform/base/strbuf.h"
#include "platform/windows/sid.h"

/* Types of entries ([MS-DTYP] 2.4.4.1). */
#define SD_ALLOWED 0x00U
#define SD_DENIED 0x01U
#define SD_ALLOWED_OBJECT 0x05U
#define SD_DENIED_OBJECT 0x06U
#define SD_ALLOWED_CALLBACK 0x09U
#define SD_DENIED_CALLBACK 0x0aU
#define SD_ALLOWED_CALLBACK_OBJECT 0x0bU
#define SD_DENIED_CALLBACK_OBJECT 0x0cU

/* Flags of entries. */
#define SD_OBJECT_INHERIT 0x01U
#define SD_CONTAINER_INHERIT 0x02U
#define SD_NO_PROPAGATE 0x04U
#define SD_INHERIT_ONLY 0x08U
#define SD_INHERITED 0x10U
#define SD_TREE (SD_OBJECT_INHERIT | SD_CONTAINER_INHERIT)

/* Control bits ([MS-DTYP] 2.4.6). */
#define SD_DACL_PRESENT 0x0004U
#define SD_DACL_AUTO_INHERITED 0x0400U
#define SD_DACL_PROTECTED 0x1000U
#define SD_SELF_RELATIVE 0x8000U

/* Rights that every kind of object has (winnt.h). */
#define SD_DELETE 0x00010000U
#define SD_READ_CONTROL 0x00020000U
#define SD_WRITE_DAC 0x00040000U
#define SD_WRITE_OWNER 0x00080000U
#define SD_SYNCHRONIZE 0x00100000U
#define SD_SYSTEM_SECURITY 0x01000000U
#define SD_MAXIMUM_ALLOWED 0x02000000U
#define SD_GENERIC_ALL 0x10000000U
#define SD_GENERIC_EXECUTE 0x20000000U
#define SD_GENERIC_WRITE 0x40000000U
#define SD_GENERIC_READ 0x80000000U

#define SD_LIST_HEAD 8U
#define SD_LIST_MAX 0xfffcU /* bytes of a list: 16 bits, a multiple of 4 */
#define SD_ACES_MAX (SD_LIST_MAX - SD_LIST_HEAD)
/* Bytes of a whole descriptor that sd_write() may need. */
#define SD_WRITTEN_MAX (20U + 2U * SID_BYTES_MAX + SD_LIST_MAX)

enum sd_dacl {
    SD_DACL_NONE, /* not in the descriptor: nothing is checked, everything is granted */
    SD_DACL_NULL, /* there, and NULL: the same */
    SD_DACL_LIST  /* a list; an empty one grants nothing */
};

struct sd {
    uint16_t control; /* as read; of SD_DACL_PRESENT and SD_SELF_RELATIVE sd_write() decides */
    struct sid owner; /* len 0: none */
    struct sid group;
    enum sd_dacl dacl;
    uint8_t revision;   /* of the list: 2, or 4 with object entries */
    uint16_t ace_count; /* entries in @aces */
    uint32_t ace_len;   /* bytes in use */
    uint8_t aces[SD_ACES_MAX];
};

/* One entry, as far as it is understood. */
struct sd_ace {
    uint8_t type;
    uint8_t flags;
    uint32_t mask;
    struct sid sid; /* len 0: of a type that is not in the list above; @mask is 0 then */
};

/* What the generic rights mean for one kind of object (GENERIC_MAPPING). */
struct sd_mapping {
    uint32_t read, write, execute, all;
};
extern const struct sd_mapping sd_mapping_file;
extern const struct sd_mapping sd_mapping_key; /* of the registry */

/* ---- reading and writing ---- */

/* Whether an entry of this type grants, whatever it asks beside the SID. */
bool sd_grants(uint8_t type);

/* An empty descriptor: no owner, no group, @dacl as said. */
void sd_init(struct sd *sd, enum sd_dacl dacl);

void sd_copy(struct sd *to, const struct sd *from);

/*
 * Reads a self-relative descriptor from @len hostile bytes. The audit list is not looked at.
 * CORDON_E_SYNTAX: an offset, size or count that does not fit the bytes, or an entry of a known
 * type without a whole SID. @ret_sd has no meaning then.
 */
CORDON_MUST_USE enum cordon_err sd_parse(const uint8_t *bytes, size_t len, struct sd *ret_sd);

/*
 * Writes a self-relative descriptor without an audit list to @bytes.
 * CORDON_E_LIMIT: more than @size bytes.
 */
CORDON_MUST_USE enum cordon_err sd_write(const struct sd *sd, uint8_t *bytes, size_t size,
                                         size_t *ret_len);

/*
 * The entry at byte *@at of the list; *@at then is that of the next. Start with 0; false at the
 * end. @ret_ace may be looked at only after true.
 */
bool sd_next(const struct sd *sd, uint32_t *at, struct sd_ace *ret_ace);

/*
 * Owner, group and list in the manner of SDDL, masks in hexadecimal and SIDs by number:
 * "O:S-1-5-18D:P(D;OICI;0xd017f;;;S-1-5-21-1)". A NULL list: "D:NO_ACCESS_CONTROL"; of an entry of
 * an unknown type its number and flags alone: "(0x13;;;;;)".
 */
void sd_print(const struct sd *sd, struct strbuf *out);

/* ---- editing ---- */

/* Appends an entry as it is, wherever that puts it: for descriptors built by hand. */
CORDON_MUST_USE enum cordon_err sd_append(struct sd *sd, const struct sd_ace *ace);

/*
 * Puts one explicit entry (SD_ALLOWED or SD_DENIED, no SD_INHERITED) in its canonical place: a
 * denial before everything, a grant behind all explicit entries and before the inherited ones.
 * Where the very same entry (type, flags, mask, SID) already stands in force, nothing is done and
 * *@ret_added is false. One that is narrower, wider or merely intersects is no reason not to add:
 * an entry is undone exactly as it was done, and what another holds may go with him.
 *
 * CORDON_E_LIMIT        the list would be longer than a list may be
 * CORDON_E_UNSUPPORTED  there is no list to add to: everything is granted to everyone
 */
CORDON_MUST_USE enum cordon_err sd_add(struct sd *sd, const struct sd_ace *ace, bool *ret_added);

/*
 * Takes out the first explicit entry with exactly this type, flags, mask and SID; true if there
 * was one. Inherited entries are the parent's and are left.
 */
bool sd_remove(struct sd *sd, const struct sd_ace *ace);

/* How many explicit entries are exactly this one. */
size_t sd_count(const struct sd *sd, const struct sd_ace *ace);

/*
 * Whether denials for @sid in front of every grant together cover all of @mask on the object
 * itself (entries that are only inherited further do not count), whoever put them there.
 */
bool sd_denies(const struct sd *sd, const struct sid *sid, uint32_t mask,
               const struct sd_mapping *mapping);

/* Whether denials come before grants and explicit entries before inherited ones. */
bool sd_canonical(const struct sd *sd);

/* ---- inheritance ---- */

/*
 * What @child gets from @parent when it is created in it, or when the system propagates a change:
 * its inherited entries are replaced by those of @parent, its explicit ones stay in front. A
 * protected child (SD_DACL_PROTECTED), and one without a list, is left as it is. An owner and a
 * group stand in for CREATOR OWNER and CREATOR GROUP where @child has them.
 * CORDON_E_LIMIT: the list would be longer than a list may be; @child is unchanged.
 */
CORDON_MUST_USE enum cordon_err sd_inherit(const struct sd *parent, bool container,
                                           const struct sd_mapping *mapping, struct sd *child);

/* ---- who may do what ---- */

struct sd_member {
    struct sid sid;
    bool deny_only; /* counts for denials alone (SE_GROUP_USE_FOR_DENY_ONLY) */
};

/* As much of an access token as a check needs. No privileges: a job has none. Borrowed. */
struct sd_token {
    const struct sd_member *members; /* the user first; enabled ones only */
    size_t member_count;
    const struct sid *restricting; /* NULL: not restricted */
    size_t restricting_count;
    bool write_restricted; /* they count for writing alone */
};

/*
 * All rights that AccessCheck would grant @token ("maximum allowed"); generic bits are mapped.
 * Integrity labels are not looked at. Where the system would look further, at a condition or at
 * an object type, a grant counts and a denial does not: never less than it would grant.
 * With a write-restricted token the second pass decides over what GENERIC_WRITE means beyond
 * GENERIC_READ and GENERIC_EXECUTE, and over DELETE, WRITE_DAC, WRITE_OWNER and
 * ACCESS_SYSTEM_SECURITY; a restricted token is the owner's only where he is restricting, too. No
 * document says so: published disassemblies of the kernel's SepAccessCheck and SepTokenIsOwner do.
 */
uint32_t sd_granted(const struct sd *sd, const struct sd_token *token,
                    const struct sd_mapping *mapping);

/* Whether all of @desired would be granted; generic bits and MAXIMUM_ALLOWED are understood. */
bool sd_access_check(const struct sd *sd, const struct sd_token *token,
                     const struct sd_mapping *mapping, uint32_t desired);

/* @mask with its generic bits replaced by what they mean. */
uint32_t sd_map(const struct sd_mapping *mapping, uint32_t mask);

#endif
