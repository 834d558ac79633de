# SPDX-License-Identifier: Apache-2.0
"""Proves that each check can fail, and that it leaves good code alone.

A fixture is a text of sections: "=== good CHECK" or "=== bad CHECK: PATTERN" begins a case, and
"--- PATH" a file of its tree. A bad case must be found, with a message that PATTERN matches and
no other message; a good one must not. "@repeat N TEXT" in a file stands for N lines of TEXT.
"""

import os
import re
import shutil
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def cases():
    folder = os.path.join(HERE, "fixtures")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            sections = re.split(r"^=== ", stream.read(), flags=re.MULTILINE)[1:]
        for section in sections:
            head, _, body = section.partition("\n")
            kind, rest = head.split(" ", 1)
            check, _, pattern = rest.partition(": ")
            files = re.split(r"^--- ", body, flags=re.MULTILINE)[1:]
            yield name, kind, check.strip(), pattern.strip(), dict(
                f.split("\n", 1) for f in files)


def expand(text):
    def repeat(match):
        return (match.group(2) + "\n") * int(match.group(1))

    # "%%" parts words that the tree's own checks would find in the fixture's source.
    return re.sub(r"^@repeat (\d+) (.*)\n", repeat, text, flags=re.MULTILINE).replace("%%", "")


def findings(make_tree, check, files):
    root = tempfile.mkdtemp(prefix="cordon-lint-")
    try:
        shutil.copy(os.path.join(HERE, "..", "..", ".clang-format"), root)
        for path, text in files.items():
            full = os.path.join(root, path.strip())
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as stream:
                stream.write(expand(text))
        return sorted(set(check(make_tree(root))))
    finally:
        shutil.rmtree(root)


def run(make_tree, checks):
    passed = failed = 0
    proved = set()
    for name, kind, check, pattern, files in cases():
        found = findings(make_tree, checks[check], files)
        if kind == "bad":
            good = bool(found) and all(re.search(pattern, line) for line in found)
            proved.add(check)
        else:
            good = not found
        passed += good
        failed += not good
        if not good:
            print(f"{name}: {kind} {check}: {pattern}: got {found}")
    for check in sorted(set(checks) - proved):
        print(f"no fixture proves that the check {check} can fail")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
