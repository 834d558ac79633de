// SPDX-License-Identifier: Apache-2.0
// The only home of tomlplusplus. Every exception ends here.
extern "C" {
#include "policy/toml.h"
#include "policy/policy.h"
}

/*
 * Errors of the text are returned: the library's exception for them allocates in
 * a noexcept constructor, so that one more failed allocation would end the
 * process. bad_alloc itself is thrown all the same, and caught below.
 */
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

static_assert(TOML_MAX_NESTED_VALUES == TOML_DEPTH_MAX, "one limit, two spellings");

namespace
{

struct converter {
    const toml_source *source;
    struct arena *arena;
    struct cordon_fault *fault;

    toml_pos position(const toml::source_region &region) const
    {
        return toml_pos{source, region.begin.line, region.begin.column};
    }

    cordon_err fail(cordon_err err, const toml_pos &pos, const char *what) const
    {
        return fault_set(fault, err, nullptr, "%s:%u:%u: %s", source->name, pos.line, pos.column,
                         what);
    }

    cordon_err no_memory() const
    {
        return fault_set(fault, CORDON_E_NOMEM, nullptr, "%s: out of memory", source->name);
    }

    cordon_err text(std::string_view from, const toml_pos &pos, const char **ret) const;
    cordon_err array(const toml::array &from, unsigned depth, toml_value &ret) const;
    cordon_err table(const toml::table &from, unsigned depth, toml_value &ret) const;
    cordon_err value(const toml::node &from, unsigned depth, toml_value &ret) const;
};

cordon_err converter::text(std::string_view from, const toml_pos &pos, const char **ret) const
{
    if (from.find('\0') != std::string_view::npos) {
        return fail(CORDON_E_INVALID, pos, "a NUL character");
    }
    *ret = arena_strndup(arena, from.data(), from.size());
    return *ret == nullptr ? no_memory() : CORDON_OK;
}

cordon_err converter::array(const toml::array &from, unsigned depth, toml_value &ret) const
{
    size_t i = 0;

    ret.type = TOML_ARRAY;
    ret.count = from.size();
    ret.as.items = static_cast<toml_value *>(arena_array(arena, ret.count, sizeof(toml_value)));
    if (ret.as.items == nullptr) {
        return no_memory();
    }
    for (const toml::node &item : from) {
        const cordon_err err = value(item, depth + 1, ret.as.items[i++]);
        if (err != CORDON_OK) {
            return err;
        }
    }
    return CORDON_OK;
}

// The library sorts a table's keys; people read messages and origins in the
// order they wrote.
cordon_err converter::table(const toml::table &from, unsigned depth, toml_value &ret) const
{
    std::vector<std::pair<const toml::key *, const toml::node *>> order;
    size_t i = 0;

    for (auto entry = from.cbegin(); entry != from.cend(); ++entry) {
        order.emplace_back(&entry->first, &entry->second);
    }
    std::sort(order.begin(), order.end(), [](const auto &a, const auto &b) {
        return a.first->source().begin < b.first->source().begin;
    });
    ret.type = TOML_TABLE;
    ret.count = order.size();
    ret.as.entries = static_cast<toml_entry *>(arena_array(arena, ret.count, sizeof(toml_entry)));
    if (ret.as.entries == nullptr) {
        return no_memory();
    }
    for (const auto &[key, node] : order) {
        toml_entry &entry = ret.as.entries[i++];
        entry.pos = position(key->source());
        cordon_err err = text(key->str(), entry.pos, &entry.key);
        if (err == CORDON_OK) {
            err = value(*node, depth + 1, entry.value);
        }
        if (err != CORDON_OK) {
            return err;
        }
    }
    return CORDON_OK;
}

cordon_err converter::value(const toml::node &from, unsigned depth, toml_value &ret) const
{
    ret.pos = position(from.source());
    if (depth > TOML_DEPTH_MAX) {
        return fail(CORDON_E_LIMIT, ret.pos, "nested too deeply");
    }
    if (const auto *table_node = from.as_table()) {
        return table(*table_node, depth, ret);
    }
    if (const auto *array_node = from.as_array()) {
        return array(*array_node, depth, ret);
    }
    if (const auto *string_node = from.as_string()) {
        ret.type = TOML_STRING;
        ret.count = string_node->get().size();
        return text(string_node->get(), ret.pos, &ret.as.text);
    }
    if (const auto *bool_node = from.as_boolean()) {
        ret.type = TOML_BOOL;
        ret.as.boolean = bool_node->get();
    } else if (const auto *int_node = from.as_integer()) {
        ret.type = TOML_INT;
        ret.as.integer = int_node->get();
    } else {
        ret.type = from.is_floating_point() ? TOML_FLOAT : TOML_TIME;
    }
    return CORDON_OK;
}

cordon_err parse(const converter &convert, std::string_view text, toml_value &ret)
{
    try {
        const toml::parse_result root = toml::parse(text);

        if (root.failed()) {
            const toml_pos pos = convert.position(root.error().source());
            const std::string what{root.error().description()};

            return convert.fail(CORDON_E_SYNTAX, pos, what.c_str());
        }
        return convert.value(root.table(), 0, ret);
    } catch (const std::bad_alloc &) {
        return convert.no_memory();
    } catch (const std::exception &error) {
        return fault_set(convert.fault, CORDON_E_SYNTAX, nullptr, "%s: cannot be parsed: %s",
                         convert.source->name, error.what());
    }
}

} // namespace

extern "C" enum cordon_err toml_parse(const struct toml_source *source, const char *text,
                                      size_t len, struct arena *arena, struct toml_value *ret_table,
                                      struct cordon_fault *fault)
{
    const converter convert{source, arena, fault};
    toml_value table{};
    toml_pos pos{source, 1, 1};

    if (len > POLICY_FILE_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, "split it or move rules into requirements.d",
                         "%s:1:1: the file has %zu bytes; at most %u are read", source->name, len,
                         POLICY_FILE_MAX);
    }
    if (toml_scan_depth(text, len, &pos.line, &pos.column) != CORDON_OK) {
        return convert.fail(CORDON_E_LIMIT, pos, "nested too deeply");
    }
    const cordon_err err = parse(convert, std::string_view(len == 0 ? "" : text, len), table);
    if (err == CORDON_OK) {
        *ret_table = table;
    }
    return err;
}
