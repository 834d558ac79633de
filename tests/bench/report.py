# SPDX-License-Identifier: Apache-2.0
"""report.py start|sustained DIR: tables, bars and files of a bench from the rows in DIR.

DIR has the rows that the programs printed (static, dynamic, first; sustained), what else is to be
told (facts.json) and who is absent ("NAME: why", a line each). The whole goes as JSON to descriptor
8, the plot as SVG to descriptor 7. Ends with 1 when a bar is missed; none is judged when there were
fewer rounds than are needed to compare.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import plot  # noqa: E402

ROUNDS_TO_JUDGE = 300
SLICES_TO_JUDGE = 5
CLIENT_RSS_KIB = 4096
SUSTAINED = 4.0


class Missing(Exception):
    """What a bar needs was not measured."""


class Run:
    def __init__(self, folder):
        self.folder = folder
        self.absent = dict(line.split(": ", 1) for line in self.lines("absent"))
        with open(os.path.join(folder, "facts.json"), encoding="utf-8") as stream:
            self.facts = json.load(stream)

    def lines(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as stream:
            return stream.read().splitlines()

    def rows(self, name):
        return [json.loads(line) for line in self.lines(name)]

    def find(self, rows, name, **more):
        for row in rows:
            if row["name"] == name and all(row[key] == value for key, value in more.items()):
                return row
        raise Missing(f"{name} is absent ({self.absent.get(name, 'not measured')})")


# --- bars -----------------------------------------------------------------------------------

def times(above, below):
    """A bar's figure: the quotient of two medians of the static table."""
    return lambda start: start[above]["median_us"] / start[below]["median_us"]


class Table(dict):
    """Rows by name; one that is not there says why."""

    def __init__(self, run, rows):
        super().__init__((row["name"], row) for row in rows)
        self.run = run

    def __missing__(self, name):
        return self.run.find([], name)


# (what, how much at most or at least, the figure, in what)
AT_MOST, AT_LEAST = "at most", "at least"
START_BARS = [
    ("service, warm, against a plain start", AT_MOST, 3.0, times("cordon-service", "plain"), "x"),
    ("bwrap against service, warm", AT_LEAST, 6.0, times("bwrap", "cordon-service"), "x"),
    ("codex sandbox against service, warm", AT_LEAST, 60.0, times("codex", "cordon-service"), "x"),
    ("service, warm: p95 against its median", AT_MOST, 2.0,
     lambda t: t["cordon-service"]["p95_us"] / t["cordon-service"]["median_us"], "x"),
    ("service, nothing made ahead left, against plain", AT_MOST, 7.0,
     times("cordon-exhausted", "plain"), "x"),
    ("first job of a caller, 100 rules, more than the next", AT_MOST, 3.0,
     lambda t: (t["first"]["median_us"] - t["next"]["median_us"]) / 1e3, " ms"),
    ("in process against a plain start", AT_MOST, 2.0, times("in-process", "plain"), "x"),
    ("embedded against bwrap", AT_MOST, 1.0, times("cordon-embedded", "bwrap"), "x"),
    ("peak memory of the client while a job runs", AT_MOST, CLIENT_RSS_KIB,
     lambda t: t.run.facts["sizes"]["client"]["peak_rss_kib"], " KiB"),
]


def say(held, what, sense, limit, figure, unit):
    print(f"{'PASS' if held else 'FAIL'} {what}: {figure:.2f}{unit} ({sense} {limit:g}{unit})")
    return held


def judge(bars, table):
    """True if every bar is held."""
    good = True
    for what, sense, limit, figure, unit in bars:
        try:
            value = figure(table)
        except Missing as why:
            print(f"FAIL {what}: {why}")
            good = False
            continue
        # No process that ran has used nothing.
        held = 0 < value <= limit if sense == AT_MOST and unit == " KiB" else \
            value <= limit if sense == AT_MOST else value >= limit
        good = say(held, what, sense, limit, value, unit) and good
    return good


# --- start ----------------------------------------------------------------------------------

def print_rows(title, rows):
    print(title)
    print(f"  {'':<18} {'median us':>10} {'p95 us':>10} {'ratio':>8} {'cpu us':>8} "
          f"{'peak KiB':>9} {'rounds':>7}")
    for row in rows:
        print(f"  {row['name']:<18} {row['median_us']:>10.1f} {row['p95_us']:>10.1f} "
              f"{row['ratio']:>8.2f} {row['cpu_us']:>8.0f} {row['rss_kib']:>9} {row['rounds']:>7}")


def print_facts(run):
    for name, why in run.absent.items():
        print(f"  {name:<18} absent: {why}")
    for name, value in run.facts.get("sizes", {}).items():
        print(f"  {name}: {value['bytes']} bytes, peak RSS {value.get('peak_rss_kib', '-')} KiB")
    print("  " + ", ".join(f"{name} {value}" for name, value in run.facts["versions"].items()))


def start(run):
    static, dynamic, first = (run.rows(name) for name in ("static", "dynamic", "first"))
    rounds = run.facts["rounds"]
    print_rows("a static command without a C library; cpu and memory are the client's", static)
    print_rows("a dynamic command", dynamic)
    print_rows("the first job of a caller and the next, 100 rules", first)
    print_facts(run)
    write(8, json.dumps({**run.facts, "contenders": static, "dynamic": dynamic, "first": first,
                         "absent": run.absent}) + "\n")
    write(7, plot.bars(f"What a start costs, {rounds} rounds", "microseconds, median and p95",
                       [(f"{row['name']}", row["median_us"], row["p95_us"]) for row in static]))
    if rounds < ROUNDS_TO_JUDGE:
        print(f"no bar is judged: {rounds} rounds are too few to compare ({ROUNDS_TO_JUDGE})")
        return True
    return judge(START_BARS, Table(run, static + first))


# --- sustained ------------------------------------------------------------------------------

def sustained_bar(run, rows, clients):
    """Our median against the peer's best: what is uncertain is the peer's."""
    ours = run.find(rows, "cordon-service", clients=clients)
    peer = run.find(rows, "bwrap", clients=clients)
    return ours["median_per_s"] / peer["best_per_s"]


def sustained(run):
    rows = run.rows("sustained")
    errors = sum(row["errors"] for row in rows)
    print(f"  {'clients':>7} {'':<18} {'median /s':>10} {'best /s':>10} {'errors':>7}")
    for row in rows:
        print(f"  {row['clients']:>7} {row['name']:<18} {row['median_per_s']:>10.1f} "
              f"{row['best_per_s']:>10.1f} {row['errors']:>7}")
    print_facts(run)
    write(8, json.dumps({**run.facts, "sustained": rows, "absent": run.absent}) + "\n")
    write(7, plot.bars("Starts a second", "median and best slice",
                       [(f"{row['name']}, {row['clients']} at once", row["median_per_s"],
                         row["best_per_s"]) for row in rows]))
    good = say(errors == 0, "errors", AT_MOST, 0, errors, "")
    if run.facts["slices"] < SLICES_TO_JUDGE:
        print(f"no rate is judged: {run.facts['slices']} slices are too few to compare "
              f"({SLICES_TO_JUDGE})")
        return good
    bars = [(f"service against bwrap's best, {clients} at once", AT_LEAST, SUSTAINED,
             lambda _, clients=clients: sustained_bar(run, rows, clients), "x")
            for clients in run.facts["clients"]]
    return judge(bars, None) and good


def write(descriptor, text):
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


if __name__ == "__main__":
    sys.exit(0 if {"start": start, "sustained": sustained}[sys.argv[1]](Run(sys.argv[2])) else 1)
