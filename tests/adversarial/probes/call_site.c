/* SPDX-License-Identifier: Apache-2.0 */
#include "call_site.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define MODULES 64
#define MAPPINGS 512
#define STEPS 64
#define SCAN_BYTES 16384
#define LONGEST_CALL 7
#define DIRECT_CALL 5
#define DWARF_RBP 6
#define DWARF_RSP 7

/* A file of code. */
struct module {
    char id[64]; /* device and inode, as proc_pid_maps(5) has them */
    Elf *elf;    /* NULL: it cannot be read */
    Dwarf_CFI *tables;
};

struct mapping {
    uint64_t begin;
    uint64_t end;
    uint64_t offset;
    struct module *module;
};

/* A frame: the registers that say where the one above it is. */
struct frame {
    uint64_t pc;
    uint64_t sp;
    uint64_t bp;
};

static struct module modules[MODULES];
static struct mapping mappings[MAPPINGS];
static size_t mapping_count;
static pid_t mapped; /* whose they are */
static struct module *program;

static struct module *module_get(const char *id, pid_t pid, const struct mapping *where)
{
    char path[96];
    size_t i = 0;
    int fd;

    while (i < MODULES - 1 && modules[i].id[0] != '\0' && strcmp(modules[i].id, id) != 0) {
        i++;
    }
    if (modules[i].id[0] == '\0') {
        (void)snprintf(modules[i].id, sizeof(modules[i].id), "%s", id);
        (void)snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", (int)pid,
                       (unsigned long)where->begin, (unsigned long)where->end);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        modules[i].elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
        modules[i].tables = dwarf_getcfi_elf(modules[i].elf);
    }
    return &modules[i];
}

/* The program's own file is mapped lowest. */
static void read_mappings(pid_t pid)
{
    char path[64];
    char line[4096];
    FILE *file;

    mapping_count = 0;
    program = NULL;
    mapped = pid;
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    file = fopen(path, "re");
    while (file != NULL && mapping_count < MAPPINGS && fgets(line, sizeof(line), file) != NULL) {
        struct mapping *m = &mappings[mapping_count];
        unsigned long begin, end, offset, inode;
        char device[32];
        char rights[8];
        char id[64];

        if (sscanf(line, "%lx-%lx %7s %lx %31s %lu", &begin, &end, rights, &offset, device,
                   &inode) == 6 &&
            inode != 0) {
            *m = (struct mapping){.begin = begin, .end = end, .offset = offset};
            (void)snprintf(id, sizeof(id), "%s %lu", device, inode);
            m->module = module_get(id, pid, m);
            program = program == NULL ? m->module : program;
            mapping_count += rights[2] == 'x';
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* Untold by the file: an address of it that is loaded nowhere. */
static uint64_t file_address(Elf *elf, uint64_t offset)
{
    GElf_Phdr part;
    size_t count = 0;

    (void)elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(elf, (int)i, &part) != NULL && part.p_type == PT_LOAD &&
            offset >= part.p_offset && offset - part.p_offset < part.p_filesz) {
            return offset - part.p_offset + part.p_vaddr;
        }
    }
    return UINT64_MAX;
}

static const struct mapping *mapping_at(uint64_t pc)
{
    for (size_t i = 0; i < mapping_count; i++) {
        if (pc >= mappings[i].begin && pc < mappings[i].end && mappings[i].module->elf != NULL) {
            return &mappings[i];
        }
    }
    return NULL;
}

/*
 * How to unwind what runs at @pc; NULL if nobody knows. With it *ret_own, the address in the
 * program's file, 0 if it is not there.
 */
static Dwarf_Frame *tables_at(uint64_t pc, uint64_t *ret_own)
{
    const struct mapping *m = mapping_at(pc);
    Dwarf_Frame *frame = NULL;
    uint64_t address;

    *ret_own = 0;
    if (m == NULL || m->module->tables == NULL) {
        return NULL;
    }
    address = file_address(m->module->elf, pc - m->begin + m->offset);
    if (dwarf_cfi_addrframe(m->module->tables, address, &frame) != 0) {
        return NULL;
    }
    *ret_own = m->module == program ? address : 0;
    return frame;
}

/* Of what runs at @pc in the program's file; UINT64_MAX: it is not in there. */
static uint64_t own_address(uint64_t pc)
{
    const struct mapping *m = mapping_at(pc);

    return m == NULL || m->module != program
               ? UINT64_MAX
               : file_address(m->module->elf, pc - m->begin + m->offset);
}

static bool peek(pid_t pid, uint64_t address, void *to, size_t len)
{
    struct iovec here = {to, len};
    struct iovec there = {(void *)(uintptr_t)address, len};

    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

/* All that this C library knows, made when this is built. */
static const struct {
    long number;
    const char *name;
} calls[] = {
#include "call_names.inc"
};

static const char *call_name(long number)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].number == number) {
            return calls[i].name;
        }
    }
    return "?";
}

static Elf_Scn *symbols_of(Elf *elf, GElf_Shdr *ret_header)
{
    Elf_Scn *section = NULL;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        if (gelf_getshdr(section, ret_header) != NULL && ret_header->sh_type == SHT_SYMTAB) {
            break;
        }
    }
    return section;
}

/* ---- stale words ---- */

/* What makes the system call of its name and no other, in every C library. */
static bool is_plain(const char *name)
{
    static const char *const plain[] = {"close",      "dup2", "name_to_handle_at", "poll", "read",
                                        "readlinkat", "write"};
    bool found = false;

    for (size_t i = 0; !found && i < sizeof(plain) / sizeof(plain[0]); i++) {
        found = strcmp(name, plain[i]) == 0;
    }
    return found;
}

/* Whether the function that begins at @address of the program makes another call than @number. */
static bool makes_another(uint64_t address, long number)
{
    GElf_Shdr header;
    Elf_Scn *section = program == NULL ? NULL : symbols_of(program->elf, &header);
    Elf_Data *data = section == NULL ? NULL : elf_getdata(section, NULL);
    bool another = false;
    GElf_Sym symbol;

    for (int i = 0; !another && data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++) {
        const char *name = symbol.st_value != address
                               ? NULL
                               : elf_strptr(program->elf, header.sh_link, symbol.st_name);

        another = name != NULL && is_plain(name) && strcmp(name, call_name(number)) != 0;
    }
    return another;
}

/*
 * Whether a call out of the program's own code ends at @pc that may have made system call @number:
 * through a register or memory, or a direct one of what is not its own. One of its own code, or of
 * what makes another system call, is left from an earlier call.
 */
static bool follows_call_out(pid_t pid, uint64_t pc, long number)
{
    uint8_t code[LONGEST_CALL];
    int32_t distance;
    uint64_t own;

    if (!peek(pid, pc - sizeof(code), code, sizeof(code))) {
        return false;
    }
    if (code[LONGEST_CALL - DIRECT_CALL] == 0xe8) {
        memcpy(&distance, code + LONGEST_CALL - sizeof(distance), sizeof(distance));
        free(tables_at(pc + (uint64_t)distance, &own));
        return own == 0 && !makes_another(own_address(pc + (uint64_t)distance), number);
    }
    for (size_t len = 2; len <= LONGEST_CALL; len++) {
        const uint8_t *call = code + LONGEST_CALL - len;

        if (call[0] == 0xff && (call[1] & 0x38) == 0x10) {
            return true;
        }
    }
    return false;
}

/* Without tables the first word that can be a return into the program's own code is taken. */
static bool scan_up(pid_t pid, struct frame *f, long number)
{
    uint64_t word;
    uint64_t own;

    for (uint64_t at = f->sp; at < f->sp + SCAN_BYTES; at += sizeof(word)) {
        if (!peek(pid, at, &word, sizeof(word))) {
            return false;
        }
        free(tables_at(word - 1, &own));
        if (own != 0 && follows_call_out(pid, word, number)) {
            *f = (struct frame){.pc = word, .sp = at + sizeof(word), .bp = f->bp};
            return true;
        }
    }
    return false;
}

static bool frame_base(Dwarf_Frame *tables, const struct frame *f, uint64_t *ret_base)
{
    Dwarf_Op *ops;
    size_t count;
    Dwarf_Word number, offset;

    if (dwarf_frame_cfa(tables, &ops, &count) != 0 || count != 1) {
        return false;
    }
    if (ops[0].atom == DW_OP_bregx) {
        number = ops[0].number;
        offset = ops[0].number2;
    } else {
        number = (Dwarf_Word)(ops[0].atom - DW_OP_breg0);
        offset = ops[0].number;
    }
    if (number != DWARF_RSP && number != DWARF_RBP) {
        return false;
    }
    *ret_base = (number == DWARF_RSP ? f->sp : f->bp) + offset;
    return true;
}

/* By the tables; false if they say more than is understood here. */
static bool unwind(pid_t pid, Dwarf_Frame *tables, struct frame *f)
{
    Dwarf_Op memory[3];
    Dwarf_Op *ops;
    size_t count;
    uint64_t base;

    if (!frame_base(tables, f, &base) || !peek(pid, base - sizeof(f->pc), &f->pc, sizeof(f->pc))) {
        return false;
    }
    if (dwarf_frame_register(tables, DWARF_RBP, memory, &ops, &count) == 0 && count >= 1 &&
        ops[0].atom == DW_OP_call_frame_cfa) {
        (void)peek(pid, base + (count == 2 ? ops[1].number : 0), &f->bp, sizeof(f->bp));
    }
    f->sp = base;
    return true;
}

void call_site_of(pid_t pid, const struct user_regs_struct *regs, struct call_site *ret_site)
{
    struct frame f = {.pc = regs->rip, .sp = regs->rsp, .bp = regs->rbp};
    bool more = true;

    *ret_site = (struct call_site){.number = (long)regs->orig_rax};
    if (mapped != pid || mapping_at(f.pc) == NULL) {
        read_mappings(pid);
    }
    for (int i = 0; i < STEPS && more && ret_site->count < CALL_SITE_FRAMES; i++) {
        uint64_t own;
        /* The call before a return address may be the last that its function does. */
        Dwarf_Frame *tables = tables_at(f.pc - 1, &own);

        if (own != 0) {
            ret_site->frames[ret_site->count++] = own;
        }
        more = (tables != NULL && unwind(pid, tables, &f)) || scan_up(pid, &f, ret_site->number);
        free(tables);
    }
}

bool call_site_equal(const struct call_site *a, const struct call_site *b)
{
    return a->number == b->number && a->count == b->count &&
           memcmp(a->frames, b->frames, a->count * sizeof(a->frames[0])) == 0;
}

long call_number(const char *key)
{
    const size_t len = strcspn(key, ",");

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strncmp(calls[i].name, key, len) == 0 && calls[i].name[len] == '\0') {
            return calls[i].number;
        }
    }
    return -1;
}

void call_site_key(const struct call_site *site, char *text, size_t room)
{
    size_t len = (size_t)snprintf(text, room, "%s", call_name(site->number));

    for (size_t i = 0; i < site->count && len < room; i++) {
        len += (size_t)snprintf(text + len, room - len, ",%lx", (unsigned long)site->frames[i]);
    }
}

static size_t name_frame(uint64_t address, char *text, size_t room)
{
    GElf_Shdr header;
    Elf_Scn *section = program == NULL ? NULL : symbols_of(program->elf, &header);
    Elf_Data *data = section == NULL ? NULL : elf_getdata(section, NULL);
    GElf_Sym symbol;

    for (int i = 0; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++) {
        if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC && address > symbol.st_value &&
            address - symbol.st_value <= symbol.st_size) {
            return (size_t)snprintf(text, room, "%s+0x%lx",
                                    elf_strptr(program->elf, header.sh_link, symbol.st_name),
                                    (unsigned long)(address - symbol.st_value));
        }
    }
    return (size_t)snprintf(text, room, "0x%lx", (unsigned long)address);
}

void call_site_name(const struct call_site *site, char *text, size_t room)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < site->count && len + 2 < room; i++) {
        if (i > 0) {
            text[len++] = '<';
        }
        len += name_frame(site->frames[i], text + len, room - len);
    }
}
