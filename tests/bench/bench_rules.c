/* SPDX-License-Identifier: Apache-2.0 */
/* bench_rules COUNT: the corpus' rules as lines of a profile: "PATTERN" = "deny". */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/corpus.h"

int main(int argc, char **argv)
{
    const size_t count = argc == 2 ? (size_t)strtoul(argv[1], NULL, 10) : 0;
    struct dfa_rule *rules = corpus_new(count, CORPUS_ROOT, 1);

    for (size_t i = 0; i < count; i++) {
        (void)printf("\"%.*s\" = \"deny\"\n", (int)rules[i].len, rules[i].pattern);
    }
    corpus_free(rules, count);
    return 0;
}
