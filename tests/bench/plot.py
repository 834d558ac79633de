# SPDX-License-Identifier: Apache-2.0
"""plot.py: a bar a row on a logarithmic axis, as SVG. `plot.py REPORT.json >PLOT.svg` draws the
static table of a report of `./dev bench start` again."""

import json
import math
import sys
from html import escape

LEFT, RIGHT, TOP, ROW, WIDTH = 210, 90, 56, 26, 860
INK, BAR, OURS, GRID = "#222", "#9aa7b5", "#2f7d5b", "#ddd"


def text(x, y, words, anchor="start", size=13):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{INK}">{escape(words)}</text>')


def bars(title, axis, rows):
    """@rows: (name, middle, end): a bar up to the middle, a line on to the end. Ours stand out."""
    values = [value for _, middle, end in rows for value in (middle, end) if value > 0]
    low = math.floor(math.log10(min(values))) if values else 0
    high = max(math.ceil(math.log10(max(values))) if values else 1, low + 1)
    bottom = TOP + ROW * len(rows)

    def at(value):
        share = (math.log10(max(value, 10 ** low)) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 46}" '
           f'font-family="sans-serif">', f'<rect width="100%" height="100%" fill="white"/>',
           text(16, 28, title, size=17)]
    for power in range(low, high + 1):
        x = at(10 ** power)
        out.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{GRID}"/>')
        out.append(text(x, bottom + 16, f"{10 ** power:,}", "middle", 11))
    for i, (name, middle, end) in enumerate(rows):
        y = TOP + ROW * i
        fill = OURS if name.startswith(("cordon", "in-process")) else BAR
        out.append(text(LEFT - 8, y + 14, name, "end"))
        out.append(f'<rect x="{LEFT}" y="{y + 3}" width="{max(at(middle) - LEFT, 1):.1f}" '
                   f'height="{ROW - 10}" fill="{fill}"/>')
        out.append(f'<line x1="{at(middle):.1f}" y1="{y + 11}" x2="{at(end):.1f}" y2="{y + 11}" '
                   f'stroke="{INK}" stroke-width="1.5"/>')
        out.append(text(max(at(middle), at(end)) + 6, y + 15, f"{middle:,.0f}", size=12))
    out.append(text(LEFT, bottom + 36, axis, size=12))
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as stream:
        report = json.load(stream)
    sys.stdout.write(bars(f"What a start costs, {report['rounds']} rounds",
                          "microseconds, median and p95",
                          [(row["name"], row["median_us"], row["p95_us"])
                           for row in report["contenders"]]))
