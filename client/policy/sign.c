/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators and their CI do with the documents that cordon-fetch fetches. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/output.h"
#include "client/policy/tool.h"
#include "platform/base/jsonw.h"

#define KEY_LABEL "cordon-private-key 1 "
#define KEY_LEN (sizeof(KEY_LABEL) - 1 + 2 * SIGNATURE_SEED + 1)
#define DAY 86400U

static int usage(const char *text, const char *remedy)
{
    output_failure(text, remedy);
    return CORDON_STATUS_USAGE;
}

static enum cordon_err write_key(const char *path, const struct signature_seed *seed,
                                 struct cordon_fault *fault)
{
    char line[KEY_LEN + 1] = KEY_LABEL;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool done;
    int code;

    if (fd < 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be made", path);
    }
    signature_to_hex(seed->bytes, sizeof(seed->bytes), line + sizeof(KEY_LABEL) - 1);
    line[KEY_LEN - 1] = '\n';
    done = write(fd, line, KEY_LEN) == (ssize_t)KEY_LEN && fsync(fd) == 0;
    code = errno;
    explicit_bzero(line, sizeof(line));
    if (close(fd) != 0 || !done) {
        (void)unlink(path);
        return fault_os(fault, code, NULL, "%s: cannot be written", path);
    }
    return CORDON_OK;
}

static enum cordon_err check_key(int fd, const char *path, struct cordon_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != (off_t)KEY_LEN) {
        return fault_set(fault, CORDON_E_INVALID, "cordon policy keygen makes one",
                         "%s: not a private key", path);
    }
    if ((st.st_mode & 077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0)) {
        return fault_set(fault, CORDON_E_DENIED, "make it your own and yours alone (chmod 600)",
                         "%s: others may read or replace this private key", path);
    }
    return CORDON_OK;
}

static enum cordon_err read_key(const char *path, struct signature_seed *ret_seed,
                                struct cordon_fault *fault)
{
    char line[KEY_LEN];
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum cordon_err err;

    if (fd < 0) {
        return fault_os(fault, errno, NULL, "%s: cannot be opened", path);
    }
    err = check_key(fd, path, fault);
    if (err == CORDON_OK &&
        (read(fd, line, KEY_LEN) != (ssize_t)KEY_LEN ||
         memcmp(line, KEY_LABEL, sizeof(KEY_LABEL) - 1) != 0 || line[KEY_LEN - 1] != '\n' ||
         !signature_from_hex(line + sizeof(KEY_LABEL) - 1, 2 * SIGNATURE_SEED, ret_seed->bytes,
                             SIGNATURE_SEED))) {
        err = fault_set(fault, CORDON_E_INVALID, "cordon policy keygen makes one",
                        "%s: not a private key", path);
    }
    explicit_bzero(line, sizeof(line));
    (void)close(fd);
    return err;
}

int verb_keygen(struct tool *tool)
{
    char hex[2 * SIGNATURE_KEY + 1];
    struct cordon_fault fault = {0};
    struct signature_seed seed;
    struct signature_key key;
    enum cordon_err err;

    if (getrandom(seed.bytes, sizeof(seed.bytes), 0) != (ssize_t)sizeof(seed.bytes)) {
        (void)fault_os(&fault, errno, NULL, "no random numbers");
        return tool_fail(tool, &fault);
    }
    signature_public(&seed, &key);
    err = write_key(tool->cli->operand[0], &seed, &fault);
    signature_wipe(&seed);
    if (err != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    signature_to_hex(key.bytes, sizeof(key.bytes), hex);
    strbuf_printf(&tool->out, "%s\n", hex);
    return 0;
}

/* What no host could load is not signed. */
static enum cordon_err check_document(struct tool *tool, struct policy_document *document,
                                      struct cordon_fault *fault)
{
    struct policy_document fetched;
    enum cordon_err err = tool_context(tool, fault);

    if (err == CORDON_OK) {
        err = tool_read(tool, document, fault);
    }
    if (err == CORDON_OK) {
        fetched = *document;
        fetched.path = arena_printf(&tool->arena, FETCH_PREFIX "%s", document->path);
        err = fetched.path != NULL ? tool_load_alone(tool, &fetched, NULL, fault)
                                   : fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    return err;
}

int verb_sign(struct tool *tool)
{
    const struct cli *cli = tool->cli;
    struct policy_document document = {.layer = LAYER_MANAGED, .path = cli->operand[0]};
    struct envelope envelope = {.generation = cli->generation};
    struct cordon_fault fault = {0};
    struct signature_seed seed;
    enum cordon_err err;

    if (cli->key == NULL || cli->generation == 0) {
        return usage("a key and a generation are needed", "give --key FILE --generation N");
    }
    err = check_document(tool, &document, &fault);
    if (err == CORDON_OK) {
        err = read_key(cli->key, &seed, &fault);
    }
    if (err == CORDON_OK) {
        envelope.text = document.text;
        envelope.len = document.len;
        envelope.not_after =
            cli->valid_days == 0 ? 0 : (uint64_t)time(NULL) + cli->valid_days * DAY;
        err = envelope_sign(&envelope, &seed, &tool->out, &fault);
        signature_wipe(&seed);
    }
    return err == CORDON_OK ? 0 : tool_fail(tool, &fault);
}
