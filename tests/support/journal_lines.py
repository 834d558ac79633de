#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Entries of the service's journal (journalctl -o json) as the lines that it writes without one:
a record is an object, anything else "cordond: MESSAGE". What is in an entry and neither its own
nor the journal's ends this: somebody else made it."""
import json
import sys
import unicodedata

TEXTS = {"event", "command", "policy", "outcome", "limit", "error", "text", "remedy", "operation",
         "path", "rule", "origin", "mechanism", "by"}
PLAIN = {"MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_FACILITY"}


def text_of(value):
    """A list: bytes that are no text, or have control characters; or a field that is there twice."""
    if not isinstance(value, str) or any(unicodedata.category(char) == "Cc" for char in value):
        sys.exit("no text: " + ascii(value))
    return value


def typed(name, text):
    if name in TEXTS:
        return text
    return {"true": True, "false": False}.get(text, text) if not text.isdigit() else int(text)


def main():
    out = sys.stdout
    for line in sys.stdin:
        entry = json.loads(line)
        record = {}
        for name, value in entry.items():
            if name.startswith("CORDON_"):
                name = name.removeprefix("CORDON_").lower()
                record[name] = typed(name, text_of(value))
            elif name not in PLAIN and not name.startswith("_"):
                sys.exit("whose field is " + ascii(name))
        message = text_of(entry.get("MESSAGE", ""))
        if record:
            out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        else:
            out.write("cordond: " + message + "\n")


main()
