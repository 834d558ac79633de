# SPDX-License-Identifier: Apache-2.0
"""What a policy says about a name, written from POLICY and README alone.

Shares nothing with policy/eval or the table that the kernel side walks: braces are spelled out,
components are matched by recursion, and a rule covers what one of its prefixes matches.
"""
import functools


def spellings(pattern):
    """The pattern without its first group, once for each alternative; then the others'."""
    start = pattern.find("{")
    if start < 0:
        return [pattern]
    depth, begin, parts = 0, start + 1, []
    for at in range(start, len(pattern)):
        if pattern[at] == "{":
            depth += 1
        elif pattern[at] == "," and depth == 1:
            parts.append(pattern[begin:at])
            begin = at + 1
        elif pattern[at] == "}":
            depth -= 1
            if depth == 0:
                parts.append(pattern[begin:at])
                break
    rest = pattern[at + 1:]
    return [s for part in parts for s in spellings(pattern[:start] + part + rest)]


def in_class(text, c):
    negate = text[0] == "!"
    text, found = text[negate:], False
    while text:
        if len(text) > 2 and text[1] == "-":
            found = found or text[0] <= c <= text[2]
            text = text[3:]
        else:
            found = found or text[0] == c
            text = text[1:]
    return found != negate


def component_matches(pattern, text):
    if pattern == "":
        return text == ""
    if pattern[0] == "*":
        return any(component_matches(pattern[1:], text[i:]) for i in range(len(text) + 1))
    if text == "":
        return False
    if pattern[0] == "[":
        end = pattern.index("]", 2)
        return in_class(pattern[1:end], text[0]) and component_matches(pattern[end + 1:], text[1:])
    return pattern[0] in ("?", text[0]) and component_matches(pattern[1:], text[1:])


def components_match(pattern, path):
    """Whole paths, as lists of components."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        if len(pattern) == 1:
            return len(path) > 0
        return any(components_match(pattern[1:], path[i:]) for i in range(len(path) + 1))
    return (len(path) > 0 and component_matches(pattern[0], path[0])
            and components_match(pattern[1:], path[1:]))


def components(path):
    return [part for part in path.split("/") if part]


def covers(pattern, path):
    """Does the pattern match the path, or a directory above it?"""
    parts = components(path)
    return any(components_match(components(spelling), parts[:end])
               for spelling in spellings(pattern) for end in range(len(parts) + 1))


def is_glob(pattern):
    return any(c in pattern for c in "*?[{")


STRENGTH = {"read": 0, "write": 1, "deny": 2}


class Policy:
    """managed: patterns and paths that are denied; own: (pattern or path, access)."""

    def __init__(self, managed, own, base):
        self.managed, self.own, self.base = managed, own, base
        self.access = functools.lru_cache(maxsize=None)(self._access)

    def without(self, index):
        """The same with one denial less; they are counted through both lists."""
        managed, own = list(self.managed), list(self.own)
        denials = [(managed, rule) for rule in managed]
        denials += [(own, rule) for rule in own if rule[1] == "deny"]
        where, rule = denials[index % len(denials)]
        where.remove(rule)
        return Policy(managed, own, self.base)

    def _access(self, path):
        if any(covers(rule, path) for rule in self.managed):
            return "deny"
        if any(covers(rule, path) for rule, access in self.own if is_glob(rule)):
            return "deny"
        return self.exact(path)

    def exact(self, path):
        """What the most specific of the exact entries grants."""
        best = None
        for rule, access in self.base + self.own:
            if is_glob(rule) or not covers(rule, path):
                continue
            rank = (len(components(rule)), STRENGTH[access])
            best = max(best, (rank, access)) if best else (rank, access)
        return best[1] if best else "deny"

    def exact_everywhere(self, path):
        """The same, managed paths included: what masks and mounts go by."""
        if any(covers(rule, path) for rule in self.managed if not is_glob(rule)):
            return "deny"
        return self.exact(path)

    def denied(self, path):
        return self.access(path) == "deny"

    def text_managed(self):
        rules = ", ".join(f'"{rule}"' for rule in self.managed)
        return f"[permissions.filesystem]\ndeny_read = [{rules}]\n"

    def text_own(self):
        lines = ['default_permissions = "dev"', "[permissions.dev]", 'extends = ":workspace"',
                 "[permissions.dev.filesystem]"]
        return "\n".join(lines + [f'"{rule}" = "{access}"' for rule, access in self.own]) + "\n"
