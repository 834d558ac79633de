#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py ROOT CHECK... | ROOT --all | ROOT --list | ROOT --self-test

Each check prints "file:line: message" and fails if it found anything. A check that cannot run
fails too. --self-test proves on small bad trees that every check is able to fail.
"""

import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import source  # noqa: E402
import tables as T  # noqa: E402


class Tree:
    def __init__(self, root):
        self.root = root
        self.paths = source.walk(root)
        self.known = set(self.paths)
        self._texts = {}

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = source.read(self.root, path)
        return self._texts[path]

    def c_files(self):
        return [p for p in self.paths if p.endswith(T.C_SUFFIXES)]

    def resolve(self, path, header):
        """The file of the tree that a quoted include means, or None."""
        for folder in (os.path.dirname(path), "", "tests", "client/include"):
            candidate = os.path.normpath(os.path.join(folder, header)).replace(os.sep, "/")
            if candidate in self.known:
                return candidate
        return None


def layer_of(path):
    return next((name for name, pattern in T.LAYERS if re.match(pattern, path)), None)


def library_of(header):
    return next((row for row in T.LIBRARY_HOMES if re.fullmatch(row[1], header)), None)


def system_allowed(kind, path, header):
    if kind == "any":
        return True
    if path.endswith((".cpp", ".hpp")) and header in T.CXX_STANDARD:
        return True
    return header in (T.PURE_STANDARD if kind == "pure" else T.C_STANDARD)


def check_include(tree, path, line, header):
    """What is wrong with one #include, or None."""
    layers, kind = T.INCLUDE_TABLE[layer_of(path)]
    target = tree.resolve(path, header)
    if target is not None:
        other = layer_of(target)
        if layers is None or other in layers:
            return None
        return f"{path}:{line}: {layer_of(path)} may not include {target} ({other})"
    if library_of(header) or system_allowed(kind, path, header):
        return None
    return f"{path}:{line}: {layer_of(path)} may not include <{header}> (allowed here: {kind})"


def closure(tree, path, seen):
    """(through, header) of every system header reached from path through the tree's headers."""
    for _, header, _ in source.includes(tree.text(path) or ""):
        target = tree.resolve(path, header)
        if target is None:
            yield path, header
        elif target not in seen:
            seen.add(target)
            yield from closure(tree, target, seen)


def includes(tree):
    for path in tree.c_files():
        layer = layer_of(path)
        if layer is None:
            yield f"{path}:1: this folder has no row in the include table"
            continue
        for line, header, _ in source.includes(tree.text(path)):
            found = check_include(tree, path, line, header)
            if found:
                yield found
        if layer in T.CLOSED_LAYERS:
            for through, header in closure(tree, path, {path}):
                known = header in T.C_STANDARD | T.CXX_STANDARD or library_of(header)
                if through != path and not known:
                    yield f"{path}:1: reaches <{header}> through {through}"


def homes(tree):
    users = {}
    for path in tree.c_files():
        for line, header, _ in source.includes(tree.text(path)):
            row = library_of(header)
            if row is None or tree.resolve(path, header):
                continue
            users.setdefault(row[0], {})[path] = line
            if not re.fullmatch(row[2], path):
                yield f"{path}:{line}: {row[0]} has its home in {row[2]}"
    for name, _, home, count in T.LIBRARY_HOMES:
        if len(users.get(name, {})) > count:
            yield f"{sorted(users[name])[-1]}:1: {name} is used in more than {count} file(s)"


def pure(tree):
    for path in tree.c_files():
        if layer_of(path) not in T.PURE_LAYERS:
            continue
        for number, line in enumerate(source.code_only(tree.text(path)).split("\n"), 1):
            match = T.PURE_FORBIDDEN.search(line)
            if match:
                yield f"{path}:{number}: pure code uses {match.group(0).rstrip(' (')}"


def budgets(tree):
    for path in tree.paths:
        text = tree.text(path)
        is_code = path.endswith(T.SPDX_SUFFIXES) or (text or "").startswith("#!")
        if is_code and text.count("\n") > T.MAX_FILE_LINES:
            yield f"{path}:1: {text.count(chr(10))} lines, at most {T.MAX_FILE_LINES}"
    for path in tree.c_files():
        for fn in source.functions(tree.text(path)):
            lines = fn.last - fn.first + 1
            if lines > T.MAX_FUNCTION_LINES:
                yield f"{path}:{fn.first}: {fn.name}: {lines} lines, at most {T.MAX_FUNCTION_LINES}"
            if fn.parameters > T.MAX_PARAMETERS:
                yield (f"{path}:{fn.first}: {fn.name}: {fn.parameters} parameters, "
                       f"at most {T.MAX_PARAMETERS}")
            if fn.nesting > T.MAX_NESTING:
                yield (f"{path}:{fn.nesting_line}: {fn.name}: nesting {fn.nesting}, "
                       f"at most {T.MAX_NESTING}")


def spdx(tree):
    for path in tree.paths:
        text = tree.text(path)
        if text is None:
            continue
        named = path.endswith(T.SPDX_SUFFIXES) or path.endswith("CMakeLists.txt")
        if not (named or text.startswith("#!")):
            continue
        if not any(T.SPDX in line for line in text.split("\n")[:3]):
            yield f"{path}:1: no '{T.SPDX}' in the first lines"


def os_conditions(tree):
    for path in tree.c_files():
        if path.startswith("platform/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if T.OS_CONDITION.match(line):
                yield f"{path}:{number}: an operating system is asked for outside platform/"


def braces(tree):
    for path in tree.c_files():
        for line in source.unbraced(tree.text(path)):
            yield f"{path}:{line}: a body without braces"


def enum_default(tree):
    names = set()
    for path in tree.c_files():
        names |= source.enumerators(tree.text(path))
    for path in tree.c_files():
        for line, labels, has_default in source.switches(tree.text(path)):
            if has_default and labels & names:
                yield f"{path}:{line}: a switch over an enum has a default"


def words(tree):
    for path in tree.paths:
        text = tree.text(path)
        if text is None or path == "LICENSE":
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if T.UNFINISHED.search(line):
                yield f"{path}:{number}: unfinished work is an issue, not a word in the tree"
            elif path.endswith(T.C_SUFFIXES) and T.UNFINISHED_COMMENT.search(line):
                yield f"{path}:{number}: {T.UNFINISHED_COMMENT.search(line).group(0)}: finish it"


def named_tests(tree):
    for path in tree.paths:
        for number, line in enumerate((tree.text(path) or "").split("\n"), 1):
            for where, name in T.NAMED_TEST.findall(line):
                file = f"tests/{where}.c"
                if file not in tree.known or f"TEST({name})" not in tree.text(file):
                    yield f"{path}:{number}: {file} has no test {name}"


def machine(tree):
    for path in tree.paths:
        text = tree.text(path)
        if text is None or path == "LICENSE":
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if T.MACHINE_PATH.search(line):
                yield f"{path}:{number}: a path of one machine"
            for match in T.URL.finditer(line):
                if not T.URL_HOSTS.search(match.group(1)):
                    yield f"{path}:{number}: the host {match.group(1)} is named"


def formatting(tree):
    tool = shutil.which("clang-format-14")
    if tool is None:
        yield "clang-format-14 is not installed: the formatting cannot be checked"
        return
    files = tree.c_files()
    for at in range(0, len(files), 40):
        done = subprocess.run([tool, "--dry-run", "-Werror", "--style=file"] + files[at:at + 40],
                              cwd=tree.root, stderr=subprocess.PIPE, text=True, check=False)
        for line in done.stderr.split("\n"):
            if "error:" in line:
                yield line
        if done.returncode != 0 and "error:" not in done.stderr:
            yield f"clang-format-14 failed: {done.stderr.strip()}"


CHECKS = {
    "includes": includes,
    "homes": homes,
    "pure": pure,
    "budgets": budgets,
    "spdx": spdx,
    "os-conditions": os_conditions,
    "braces": braces,
    "enum-default": enum_default,
    "words": words,
    "named-tests": named_tests,
    "machine": machine,
    "format": formatting,
}


def run(root, names):
    tree = Tree(root)
    failed = 0
    for name in names:
        found = sorted(set(CHECKS[name](tree)))
        failed += bool(found)
        for line in found:
            print(f"{line} [{name}]")
        print(f"lint {name}: {'%d found' % len(found) if found else 'clean'}, "
              f"{len(tree.paths)} files")
    return 1 if failed or not tree.paths else 0


def main(argv):
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    root, names = os.path.abspath(argv[1]), argv[2:]
    if names == ["--list"]:
        print("\n".join(CHECKS))
        return 0
    if names == ["--self-test"]:
        import selftest

        return selftest.run(Tree, CHECKS)
    if names == ["--all"]:
        names = list(CHECKS)
    unknown = [n for n in names if n not in CHECKS]
    if unknown:
        print(f"lint.py: no check named {unknown[0]}", file=sys.stderr)
        return 2
    return run(root, names)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
