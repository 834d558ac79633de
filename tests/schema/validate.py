#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What --json prints, against proto/schema.

validate.py schemas       every schema is valid, closed, and requires what it describes
validate.py NAME[,NAME]   every line of standard input fits one of them; at least one line; and
                          a line with a member more, or one less, fits none
"""

import copy
import json
import pathlib
import sys

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "proto" / "schema"
SUFFIX = ".schema.json"
# Members of a plan's step that are there together or not at all.
OPTIONAL = {("plan", "set"), ("plan", "rule")}


def fail(text):
    sys.exit("schema: " + text)


def load(name):
    path = FOLDER / (name + SUFFIX)
    if not path.is_file():
        fail(f"there is no {path}")
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def parts(schema):
    """Every schema inside this one, itself included."""
    yield schema
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            for part in value.values():
                yield from parts(part)
        elif key == "items":
            yield from parts(value)
        elif key == "oneOf":
            for part in value:
                yield from parts(part)


def check_schemas():
    names = sorted(path.name[: -len(SUFFIX)] for path in FOLDER.glob("*" + SUFFIX))
    if not names:
        fail("there are none")
    for name in names:
        for part in parts(load(name).schema):
            if part.get("type") != "object":
                continue
            properties = part["properties"]
            if part.get("additionalProperties") is not False:
                fail(f"{name}: an object is open: {sorted(properties)}")
            loose = set(properties) - set(part["required"])
            if loose - {member for schema, member in OPTIONAL if schema == name}:
                fail(f"{name}: not required: {sorted(loose)}")
            for member, what in properties.items():
                if not {"type", "const", "enum", "oneOf", "$ref"} & set(what):
                    fail(f"{name}: {member} may be anything")
    print("\n".join(names))


def objects(value, path=()):
    """The path of every object in @value."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            yield from objects(inner, path + (key,))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, path + (index,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def mutants(value):
    for path in objects(value):
        more = copy.deepcopy(value)
        at(more, path)["drift"] = 1
        yield f"a member more in /{'/'.join(map(str, path))}", more
        for key in at(value, path):
            less = copy.deepcopy(value)
            del at(less, path)[key]
            yield f"no /{'/'.join(map(str, path + (key,)))}", less


def validate(names):
    validators = [load(name) for name in names]
    lines = [line for line in sys.stdin.read().split("\n") if line]
    if not lines:
        fail(f"{','.join(names)}: nothing to validate")
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError as error:
            fail(f"no JSON: {error}: {line[:400]}")
        if not any(validator.is_valid(value) for validator in validators):
            error = jsonschema.exceptions.best_match(validators[0].iter_errors(value))
            fail(f"{','.join(names)}: {error.message[:300]} at {list(error.path)}: {line[:400]}")
    # The last is as good as any; all would take minutes.
    for what, mutant in mutants(value):
        if any(validator.is_valid(mutant) for validator in validators):
            fail(f"{','.join(names)}: would not notice {what}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "schemas":
        check_schemas()
    else:
        validate(sys.argv[1].split(","))


main()
