# SPDX-License-Identifier: Apache-2.0
"""bench_start.py REPORT: judges the JSON of `./dev bench start` against the order's bars."""

import json
import sys

CLIENT_RSS_KIB = 4096


def main(path):
    with open(path, encoding="utf-8") as stream:
        report = json.load(stream)
    rows = {row["name"]: row for row in report["contenders"]}
    service, bwrap = rows["cordon-service"], rows["bwrap"]
    rss = report["sizes"]["client"]["peak_rss_kib"]
    print(f"figure: service {service['median_us']:.0f} us ({service['ratio']:.1f}x), "
          f"bwrap {bwrap['median_us']:.0f} us ({bwrap['ratio']:.1f}x), client {rss} KiB, "
          f"{report['rounds']} rounds")
    good = (service["median_us"] <= bwrap["median_us"] and rss <= CLIENT_RSS_KIB
            and report["rounds"] >= 200)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
