/* SPDX-License-Identifier: Apache-2.0 */
/* Checking and walking a table; what a program that only matches needs. */
#include "policy/dfa_format.h"

/* Where a part's arrays lie. */
struct view {
    const struct dfa_part *part;
    const struct dfa_state *states;
    const struct dfa_cell *cells;
};

static const void *at_offset(const struct dfa *table, uint32_t offset)
{
    return (const unsigned char *)table + offset;
}

static struct view view_of(const struct dfa *table, uint32_t index)
{
    const struct dfa_part *part = &table->part[index];
    const struct view view = {part, at_offset(table, part->states_off),
                              at_offset(table, part->cells_off)};

    return view;
}

static uint32_t step(const struct view *view, uint32_t state, uint8_t byte)
{
    const struct dfa_state *row = &view->states[state];
    const struct dfa_cell *cell = &view->cells[row->base + view->part->class_of[byte]];

    return cell->state == state ? cell->next : row->fallback;
}

size_t dfa_size(const struct dfa *table)
{
    return (size_t)table->size;
}

void dfa_start(const struct dfa *table, struct dfa_pos *ret_pos)
{
    for (uint32_t i = 0; i < DFA_PARTS; i++) {
        ret_pos->state[i] = table->part[i].start;
    }
    ret_pos->covered = DFA_NO_RULE;
}

void dfa_feed(const struct dfa *table, struct dfa_pos *pos, const char *bytes, size_t len)
{
    for (uint32_t i = 0; i < DFA_PARTS && table->part[i].states > 0; i++) {
        const struct view view = view_of(table, i);
        uint32_t state = pos->state[i];
        uint32_t covered = pos->covered;

        for (size_t at = 0; at < len; at++) {
            if (bytes[at] == '/' && view.states[state].rank < covered) {
                covered = view.states[state].rank;
            }
            state = step(&view, state, (uint8_t)bytes[at]);
        }
        pos->state[i] = state;
        pos->covered = covered;
    }
}

uint32_t dfa_rule_at(const struct dfa *table, const struct dfa_pos *pos)
{
    const uint32_t *rules = at_offset(table, table->ranks_off);
    uint32_t rank = pos->covered;

    for (uint32_t i = 0; i < DFA_PARTS && table->part[i].states > 0; i++) {
        const struct view view = view_of(table, i);
        const uint32_t here = view.states[pos->state[i]].rank;

        rank = here < rank ? here : rank;
    }
    return rank == DFA_NO_RULE ? DFA_NO_RULE : rules[rank];
}

uint32_t dfa_match(const struct dfa *table, const char *path, size_t len)
{
    struct dfa_pos pos;

    dfa_start(table, &pos);
    dfa_feed(table, &pos, path, len);
    return dfa_rule_at(table, &pos);
}

bool dfa_settled(const struct dfa *table, const struct dfa_pos *pos)
{
    struct dfa_pos below = *pos;

    dfa_feed(table, &below, "/", 1);
    for (uint32_t i = 0; i < DFA_PARTS && table->part[i].states > 0; i++) {
        const struct view view = view_of(table, i);

        if (view.states[below.state[i]].best < below.covered) {
            return false;
        }
    }
    return true;
}

/* Does an array of @count elements of @size bytes at @offset lie within the block? */
static bool within(const struct dfa *table, uint32_t offset, uint32_t count, size_t size)
{
    return offset % 8 == 0 && offset >= sizeof(*table) && offset <= table->size &&
           count <= (table->size - offset) / size;
}

static bool rank_ok(const struct dfa *table, uint32_t rank)
{
    return rank < table->ranks || rank == DFA_NO_RULE;
}

static bool check_states(const struct dfa *table, const struct view *view)
{
    const struct dfa_part *part = view->part;

    for (uint32_t i = 0; i < part->states; i++) {
        const struct dfa_state *state = &view->states[i];

        if (state->base > part->cells - part->classes || state->fallback >= part->states ||
            !rank_ok(table, state->rank) || !rank_ok(table, state->best)) {
            return false;
        }
    }
    return true;
}

static bool check_cells(const struct view *view)
{
    const struct dfa_part *part = view->part;

    for (uint32_t i = 0; i < part->cells; i++) {
        const struct dfa_cell *cell = &view->cells[i];

        if (cell->state != DFA_CELL_FREE &&
            (cell->state >= part->states || cell->next >= part->states)) {
            return false;
        }
    }
    return true;
}

static bool check_part(const struct dfa *table, uint32_t index)
{
    const struct dfa_part *part = &table->part[index];
    struct view view;

    if (!within(table, part->states_off, part->states, sizeof(struct dfa_state)) ||
        !within(table, part->cells_off, part->cells, sizeof(struct dfa_cell))) {
        return false;
    }
    if (part->classes < 1 || part->classes > 256 || part->classes > part->cells ||
        part->states == DFA_CELL_FREE || part->start >= part->states) {
        return false;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (part->class_of[byte] >= part->classes) {
            return false;
        }
    }
    view = view_of(table, index);
    return check_states(table, &view) && check_cells(&view);
}

static bool check_rules(const struct dfa *table, size_t rule_count)
{
    const uint32_t *rules;

    if (!within(table, table->ranks_off, table->ranks, sizeof(*rules))) {
        return false;
    }
    rules = at_offset(table, table->ranks_off);
    for (uint32_t i = 0; i < table->ranks; i++) {
        if (rules[i] >= rule_count) {
            return false;
        }
    }
    return true;
}

enum cordon_err dfa_check(const void *block, size_t len, size_t rule_count,
                          const struct dfa **ret_table)
{
    const struct dfa *table = block;
    bool ended = false; /* parts that are there come first */

    if (len < sizeof(*table) || (uintptr_t)block % 8 != 0 || table->magic != DFA_MAGIC ||
        table->version != DFA_VERSION || table->size != len || !check_rules(table, rule_count)) {
        return CORDON_E_INVALID;
    }
    for (uint32_t i = 0; i < DFA_PARTS; i++) {
        ended = ended || table->part[i].states == 0;
        if (ended ? table->part[i].states != 0 : !check_part(table, i)) {
            return CORDON_E_INVALID;
        }
    }
    *ret_table = table;
    return CORDON_OK;
}
