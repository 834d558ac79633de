# SPDX-License-Identifier: Apache-2.0
"""The tree as the checks see it: files, C without its comments, functions and blocks."""

import os
import re

SKIPPED = ("build", ".git", "tests/fuzz/corpus", "tests/lint/fixtures")


def walk(root):
    """Paths below root that a clone would hold, sorted, with '/' and relative to root."""
    found = []
    for folder, names, files in os.walk(root):
        rel = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if rel == "." else rel + "/"
        if prefix and "CMakeCache.txt" in files:
            names[:] = []
            continue
        names[:] = [n for n in names if prefix + n not in SKIPPED and n != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            if prefix + name not in SKIPPED and not os.path.islink(path):
                found.append(prefix + name)
    return sorted(found)


def read(root, path):
    """The text of a file, or None for one that is not text."""
    with open(os.path.join(root, path), "rb") as stream:
        data = stream.read()
    if b"\0" in data:
        return None
    return data.decode("utf-8", "replace")


_LITERAL = re.compile(
    r"//(?:[^\\\n]|\\[\s\S])*|/\*[\s\S]*?\*/|\"(?:[^\"\\\n]|\\[\s\S])*\"|'(?:[^'\\\n]|\\[\s\S])*'"
)


def _keep_lines(match):
    text = match.group(0)
    lines = "\n" * text.count("\n")
    if text[0] == '"':
        return '""' + lines
    if text[0] == "'":
        return "0" + lines
    return " " + lines


def without_comments(text):
    """C text with comments blanked and literals emptied; line numbers stay."""
    return _LITERAL.sub(_keep_lines, text)


_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\[\s\S])*", re.MULTILINE)


def code_only(text):
    """As without_comments(), with preprocessor lines blanked too."""
    return _DIRECTIVE.sub(lambda m: "\n" * m.group(0).count("\n"), without_comments(text))


_TOKEN = re.compile(r"[A-Za-z_]\w*|[0-9][\w.]*|\"\"|\.\.\.|->|[^\s\w]|\n")


def tokens(code):
    """(word, line) pairs."""
    line = 1
    result = []
    for match in _TOKEN.finditer(code):
        if match.group(0) == "\n":
            line += 1
        else:
            result.append((match.group(0), line))
    return result


def includes(text):
    """(line, header, quoted) of each #include, conditional ones too."""
    result = []
    # Comments go, header names in quotes stay: so literals are left alone here.
    plain = re.sub(r"/\*[\s\S]*?\*/", lambda m: "\n" * m.group(0).count("\n"), text)
    for number, line in enumerate(plain.split("\n"), 1):
        match = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
        if match:
            result.append((number, match.group(2), match.group(1) == '"'))
    return result


class Function:
    def __init__(self, name, first, last, parameters, nesting, nesting_line):
        self.name = name
        self.first = first
        self.last = last
        self.parameters = parameters
        self.nesting = nesting
        self.nesting_line = nesting_line


_CONTROL = {"if", "for", "while", "switch", "catch"}
_NO_CALL = {"sizeof", "alignof", "_Alignof", "typeof", "__typeof__", "return", "__attribute__"}


def _opener(toks, close):
    """Index of the '(' that toks[close] == ')' closes."""
    depth = 0
    for i in range(close, -1, -1):
        if toks[i][0] == ")":
            depth += 1
        elif toks[i][0] == "(":
            depth -= 1
            if depth == 0:
                return i
    return -1


def _is_word(word):
    return word[0].isalpha() or word[0] == "_"


def _deepens(toks, brace):
    """Whether the '{' at toks[brace], inside a function, opens a nested block of control flow."""
    before = toks[brace - 1][0]
    if before in ("do", "else", "try"):
        return True
    if before != ")":
        return False
    opener = _opener(toks, brace - 1)
    word = toks[opener - 1][0] if opener > 0 else ""
    # A loop hidden in a macro nests as much as a plain one; a compound literal has no word there.
    return word in _CONTROL or (bool(word) and _is_word(word) and word not in _NO_CALL)


def _signature(toks, start, brace):
    """(name, parameters) of a function whose '{' is at brace, or None if that is none."""
    depth = 0
    groups = []
    for i in range(start, brace):
        word = toks[i][0]
        if word == "(":
            if depth == 0 and i > start and _is_word(toks[i - 1][0]):
                groups.append(i)
            depth += 1
        elif word == ")":
            depth -= 1
        elif word == "=" and depth == 0:
            return None
    groups = [g for g in groups if toks[g - 1][0] not in _NO_CALL]
    if not groups:
        return None
    opener = groups[-1]
    return toks[opener - 1][0], _count_parameters(toks, opener)


def _count_parameters(toks, opener):
    depth = 0
    commas = 0
    words = 0
    for word, _ in toks[opener:]:
        if word in "([{":
            depth += 1
        elif word in ")]}":
            depth -= 1
            if depth == 0:
                break
        elif word == "," and depth == 1:
            commas += 1
        words += 1
    only = toks[opener + 1][0]
    if commas == 0 and (words <= 1 or (only == "void" and words == 2)):
        return 0
    return commas + 1


def _body(toks, brace):
    """(index past the body, deepest nesting, its line) of the function body at toks[brace]."""
    stack = []
    deepest = 0
    where = toks[brace][1]
    for i in range(brace, len(toks)):
        word, line = toks[i]
        if word == "{":
            stack.append(i != brace and _deepens(toks, i))
            if sum(stack) > deepest:
                deepest, where = sum(stack), line
        elif word == "}":
            stack.pop()
            if not stack:
                return i + 1, deepest, where
    return len(toks), deepest, where


def _skip_braces(toks, brace):
    depth = 0
    for i in range(brace, len(toks)):
        depth += {"{": 1, "}": -1}.get(toks[i][0], 0)
        if depth == 0:
            return i + 1
    return len(toks)


def functions(text):
    """Every function defined in a C or C++ text."""
    toks = tokens(code_only(text))
    result = []
    start = 0
    i = 0
    while i < len(toks):
        word = toks[i][0]
        if word in (";", "}"):
            start = i + 1
        elif word == "{":
            head = [t[0] for t in toks[start:i]]
            if "namespace" in head or head[:1] == ["extern"] and head[-1:] == ['""']:
                start = i + 1
            else:
                signature = _signature(toks, start, i)
                if signature is None:
                    i = _skip_braces(toks, i)
                else:
                    end, deepest, where = _body(toks, i)
                    result.append(Function(signature[0], toks[start][1], toks[end - 1][1],
                                           signature[1], deepest, where))
                    i = start = end
                continue
        i += 1
    return result


def enumerators(text):
    """Names of the constants of every enum in a C text."""
    toks = tokens(code_only(text))
    result = set()
    for i, (word, _) in enumerate(toks):
        if word != "enum":
            continue
        brace = next((j for j in (i + 1, i + 2) if j < len(toks) and toks[j][0] == "{"), None)
        if brace is None:
            continue
        for j in range(brace, _skip_braces(toks, brace) - 1):
            if toks[j][0] in ("{", ",") and _is_word(toks[j + 1][0]):
                result.add(toks[j + 1][0])
    return result


def switches(text):
    """(line, labels, has_default) of every switch; labels are the words of its own cases."""
    toks = tokens(code_only(text))
    result = []
    stack = []
    for i, (word, line) in enumerate(toks):
        if word == "{":
            opener = _opener(toks, i - 1) if i and toks[i - 1][0] == ")" else -1
            is_switch = opener > 0 and toks[opener - 1][0] == "switch"
            stack.append([line, set(), False] if is_switch else None)
        elif word == "}" and stack:
            ended = stack.pop()
            if ended:
                result.append(tuple(ended))
        elif word in ("case", "default"):
            inner = next((s for s in reversed(stack) if s), None)
            if inner and word == "case":
                inner[1].add(toks[i + 1][0])
            elif inner and i + 1 < len(toks) and toks[i + 1][0] == ":":
                inner[2] = True
    return result


def unbraced(text):
    """Lines of if, for, while and else whose body has no braces."""
    toks = tokens(code_only(text))
    open_at = {}
    stack = []
    for i, (word, _) in enumerate(toks):
        if word == "(":
            stack.append(i)
        elif word == ")" and stack:
            open_at[stack.pop()] = i
    result = []
    for i, (word, line) in enumerate(toks[:-1]):
        following = None
        if word in ("if", "for", "while") and toks[i + 1][0] == "(" and i + 1 in open_at:
            following = toks[open_at[i + 1] + 1][0]
            # "do { } while (x);" ends so; an empty loop body would too, and clang warns of that.
            if word == "while" and following == ";":
                following = "{"
        elif word == "else" and toks[i + 1][0] != "if":
            following = toks[i + 1][0]
        if following not in (None, "{"):
            result.append(line)
    return result
