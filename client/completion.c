/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/cli.h"

/* "a b c" of the verbs' first words, each once; or the second words of @name. */
static void verb_words(const char *name, struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    for (size_t i = 0; i < count; i++) {
        if (name == NULL && (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)) {
            strbuf_printf(out, "%s ", rows[i].name);
        } else if (name != NULL && strcmp(rows[i].name, name) == 0 && rows[i].sub != NULL) {
            strbuf_printf(out, "%s ", rows[i].sub);
        }
    }
}

static void words(const char *const *list, struct strbuf *out)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        strbuf_printf(out, "%s%s", i > 0 ? " " : "", list[i]);
    }
}

/* "-s --sandbox ..." of what is allowed with @mask; @values: only options that take one. */
static void option_words(uint32_t mask, bool values, const char *between, struct strbuf *out)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);
    size_t start = out->len;

    for (size_t i = 0; i < count; i++) {
        if (rows[i].help == NULL || (mask & CLI_BIT(rows[i].opt)) == 0 ||
            (values && rows[i].value == NULL)) {
            continue;
        }
        if (rows[i].letter != 0) {
            strbuf_printf(out, "%s-%c", out->len > start ? between : "", rows[i].letter);
        }
        strbuf_printf(out, "%s--%s", out->len > start ? between : "", rows[i].name);
    }
}

/* All options of the verbs called @name, whatever their second word. */
static uint32_t verb_mask(const char *name)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);
    uint32_t mask = 0;

    for (size_t i = 0; i < count; i++) {
        mask |= strcmp(rows[i].name, name) == 0 ? rows[i].options : 0U;
    }
    return mask;
}

static bool first_of_name(const struct cli_verb_row *rows, size_t i)
{
    return i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0;
}

/* What follows a value option: a case row each in bash. */
static void bash_values(struct strbuf *out)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].help == NULL || rows[i].value == NULL) {
            continue;
        }
        strbuf_puts(out, "    ");
        if (rows[i].letter != 0) {
            strbuf_printf(out, "-%c | ", rows[i].letter);
        }
        strbuf_printf(out, "--%s) COMPREPLY=(", rows[i].name);
        if (rows[i].choices != NULL) {
            strbuf_puts(out, "$(compgen -W '");
            words(rows[i].choices, out);
            strbuf_puts(out, "' -- \"$cur\")");
        } else if (strcmp(rows[i].value, "DIR") == 0) {
            strbuf_puts(out, "$(compgen -d -- \"$cur\")");
        }
        strbuf_puts(out, ") && return ;;\n");
    }
}

static void bash_verbs(struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    for (size_t i = 0; i < count; i++) {
        if (!first_of_name(rows, i)) {
            continue;
        }
        strbuf_printf(out, "    %s) options='", rows[i].name);
        option_words(verb_mask(rows[i].name), false, " ", out);
        strbuf_puts(out, "' words='");
        if (rows[i].sub != NULL) {
            verb_words(rows[i].name, out);
        } else if (rows[i].verb == CLI_SANDBOX) {
            strbuf_puts(out, "linux macos windows");
        } else {
            words(rows[i].choices, out);
        }
        strbuf_puts(out, "' ;;\n");
    }
}

/*
 * The scripts walk the words in front of the cursor as the parser does: options,
 * their values, then the verb and what follows it; behind a command's first
 * word its own completion takes over.
 */
static void bash_script(struct strbuf *out)
{
    strbuf_puts(out, "# bash completion for cordon; made by: cordon completion bash\n"
                     "_cordon()\n{\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local i word verb= seen=0 ended=0 options words\n"
                     "    COMPREPLY=()\n"
                     "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                     "        word=${COMP_WORDS[i]}\n"
                     "        if ((!ended)); then\n"
                     "            case $word in\n"
                     "            --) ended=1 && continue ;;\n"
                     "            ");
    option_words(UINT32_MAX, true, " | ", out);
    strbuf_puts(out, ") ((i++)) && continue ;;\n"
                     "            -*) continue ;;\n"
                     "            esac\n"
                     "        fi\n"
                     "        if [[ -z $verb ]]; then\n"
                     "            verb=$word\n"
                     "        elif [[ $verb == sandbox && $seen == 0 && $ended == 0 &&\n"
                     "            $word =~ ^(linux|macos|windows)$ ]]; then\n"
                     "            seen=1\n"
                     "        elif [[ $verb == debug && $seen == 0 ]]; then\n"
                     "            seen=1\n"
                     "        elif [[ $verb == sandbox || $verb == debug ]]; then\n"
                     "            declare -F _command_offset >/dev/null && _command_offset \"$i\"\n"
                     "            return\n"
                     "        else\n"
                     "            ((seen++))\n"
                     "        fi\n"
                     "    done\n"
                     "    case $prev in\n");
    bash_values(out);
    strbuf_puts(out, "    esac\n"
                     "    case $verb in\n"
                     "    '') options='");
    option_words(UINT32_MAX, false, " ", out);
    strbuf_puts(out, "' words='");
    verb_words(NULL, out);
    strbuf_puts(out, "' ;;\n");
    bash_verbs(out);
    strbuf_puts(out, "    esac\n"
                     "    if [[ $cur == -* ]] && ((!ended)); then\n"
                     "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                     "    else\n"
                     "        ((seen)) || COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                     "        case $verb in\n"
                     "        sandbox) COMPREPLY+=($(compgen -c -- \"$cur\")) ;;\n"
                     "        debug) ((seen)) && COMPREPLY+=($(compgen -c -- \"$cur\")) ;;\n"
                     "        why) COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
                     "        policy) ((seen)) && COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
                     "        esac\n"
                     "    fi\n"
                     "}\n"
                     "complete -o filenames -F _cordon cordon\n");
}

/* @text with what zsh's _arguments treats specially taken out of its way. */
static void zsh_text(const char *text, struct strbuf *out)
{
    for (; *text != '\0'; text++) {
        if (strchr(":[]\\", *text) != NULL) {
            strbuf_puts(out, "\\");
        }
        strbuf_add(out, text, 1);
    }
}

static void zsh_option(const struct cli_option_row *row, struct strbuf *out)
{
    const char *forms[2] = {row->name, NULL};
    char letter[2] = {row->letter, '\0'};

    forms[1] = row->letter != 0 ? letter : NULL;
    for (int i = 0; i < 2 && forms[i] != NULL; i++) {
        strbuf_printf(out, " '*%s%s%s[", i == 0 ? "--" : "-", forms[i],
                      row->value == NULL ? ""
                      : i == 0           ? "="
                                         : "+");
        zsh_text(row->help, out);
        strbuf_puts(out, "]");
        if (row->value != NULL) {
            strbuf_printf(out, ":%s:", row->value);
            if (row->choices != NULL) {
                strbuf_puts(out, "(");
                words(row->choices, out);
                strbuf_puts(out, ")");
            } else if (strcmp(row->value, "DIR") == 0) {
                strbuf_puts(out, "_files -/");
            }
        }
        strbuf_puts(out, "'");
    }
}

static void zsh_options(uint32_t mask, struct strbuf *out)
{
    size_t count;
    const struct cli_option_row *rows = cli_options(&count);

    for (size_t i = 0; i < count; i++) {
        if (rows[i].help != NULL && (mask & CLI_BIT(rows[i].opt)) != 0) {
            zsh_option(&rows[i], out);
        }
    }
}

static void zsh_verb(const struct cli_verb_row *row, struct strbuf *out)
{
    strbuf_printf(out, "    %s) _arguments -S", row->name);
    zsh_options(verb_mask(row->name), out);
    if (row->sub != NULL) {
        strbuf_puts(out, " '1:verb:(");
        verb_words(row->name, out);
        strbuf_puts(out, ")'");
    } else if (row->choices != NULL) {
        strbuf_puts(out, " '1:word:(");
        words(row->choices, out);
        strbuf_puts(out, ")'");
    }
    if (row->operands == CLI_COMMAND) {
        strbuf_puts(out, row->sub != NULL ? " '*::command:_normal'"
                                          : " '1:command:{_alternative \"os:system:(linux macos "
                                            "windows)\" \"c:command:_command_names -e\"}' "
                                            "'*::command:_normal'");
    } else if (row->max > 0 && row->choices == NULL) {
        strbuf_puts(out, " '*:file:_files'");
    }
    strbuf_puts(out, " ;;\n");
}

static void zsh_script(struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);

    strbuf_puts(out, "#compdef cordon\n"
                     "# zsh completion for cordon; made by: cordon completion zsh\n"
                     "local context state line curcontext=$curcontext\n"
                     "local -a verbs=(\n");
    for (size_t i = 0; i < count; i++) {
        if (first_of_name(rows, i)) {
            strbuf_printf(out, "    '%s:", rows[i].name);
            zsh_text(rows[i].sub != NULL ? "more verbs" : rows[i].help, out);
            strbuf_puts(out, "'\n");
        }
    }
    strbuf_puts(out, ")\n_arguments -C -S");
    zsh_options(UINT32_MAX, out);
    strbuf_puts(out, " '1:verb:->verb' '*::arg:->arg' && return\n"
                     "case $state in\n"
                     "verb) _describe verb verbs ;;\n"
                     "arg)\n"
                     "    case $line[1] in\n");
    for (size_t i = 0; i < count; i++) {
        if (first_of_name(rows, i)) {
            zsh_verb(&rows[i], out);
        }
    }
    strbuf_puts(out, "    esac ;;\nesac\n");
}

static void fish_option(const struct cli_option_row *row, struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *verbs = cli_verbs(&count);

    strbuf_puts(out, "complete -c cordon -n 'not __fish_seen_subcommand_from");
    for (size_t i = 0; i < count; i++) {
        if (first_of_name(verbs, i) && (verb_mask(verbs[i].name) & CLI_BIT(row->opt)) == 0) {
            strbuf_printf(out, " %s", verbs[i].name);
        }
    }
    strbuf_puts(out, "'");
    if (row->letter != 0) {
        strbuf_printf(out, " -s %c", row->letter);
    }
    strbuf_printf(out, " -l %s", row->name);
    if (row->choices != NULL) {
        strbuf_puts(out, " -xa '");
        words(row->choices, out);
        strbuf_puts(out, "'");
    } else if (row->value != NULL) {
        strbuf_puts(out, strcmp(row->value, "DIR") == 0 ? " -ra '(__fish_complete_directories)'"
                                                        : " -x");
    }
    strbuf_printf(out, " -d '%s'\n", row->help);
}

static void fish_script(struct strbuf *out)
{
    size_t count;
    const struct cli_verb_row *rows = cli_verbs(&count);
    size_t option_count;
    const struct cli_option_row *options = cli_options(&option_count);

    strbuf_puts(out, "# fish completion for cordon; made by: cordon completion fish\n"
                     "complete -c cordon -n __fish_use_subcommand -f\n");
    for (size_t i = 0; i < count; i++) {
        if (first_of_name(rows, i)) {
            strbuf_printf(out, "complete -c cordon -n __fish_use_subcommand -a %s -d '%s'\n",
                          rows[i].name, rows[i].sub != NULL ? "more verbs" : rows[i].help);
        }
        if (rows[i].sub != NULL) {
            strbuf_printf(out,
                          "complete -c cordon -n '__fish_seen_subcommand_from %s' -a %s -d '%s'\n",
                          rows[i].name, rows[i].sub, rows[i].help);
        } else if (rows[i].choices != NULL) {
            strbuf_printf(out, "complete -c cordon -n '__fish_seen_subcommand_from %s' -xa '",
                          rows[i].name);
            words(rows[i].choices, out);
            strbuf_puts(out, "'\n");
        }
    }
    strbuf_puts(out, "complete -c cordon -n '__fish_seen_subcommand_from sandbox' "
                     "-a 'linux macos windows (__fish_complete_command)'\n");
    for (size_t i = 0; i < option_count; i++) {
        if (options[i].help != NULL) {
            fish_option(&options[i], out);
        }
    }
}

enum cordon_err completion_script(const char *shell, struct strbuf *out)
{
    static const struct {
        const char *shell;
        void (*write)(struct strbuf *out);
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (strcmp(shell, scripts[i].shell) == 0) {
            scripts[i].write(out);
            return out->failed ? CORDON_E_NOMEM : CORDON_OK;
        }
    }
    return CORDON_E_NOT_FOUND;
}
