"""Does the planted slope of the area lie in its stated interval? New twins, mapped by the model of bench.coverage.

    python -m bench.planted [--twins 50] [--folder DIR]

For each twin, the slope of the common area over nine years, with its 95 % interval, is compared with the true slope
over the same pixels and years.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.coverage import TEST_SEED, map_twin, train_once
from bench.twins import make_twins

YEARS = list(range(2016, 2025))
SHARE_MIN = 0.9
"""Smallest share of the intervals that must contain the true slope."""


def main() -> int:
    """Print each twin and return 0 where enough of the intervals contain the true slope, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", type=int, default=50, help="number of twins")
    parser.add_argument(
        "--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="folder of the twins, kept and used again"
    )
    arguments = parser.parse_args()
    model = train_once(arguments.folder, quick=False)
    seeds = range(TEST_SEED, TEST_SEED + arguments.twins)
    inside = 0
    for seed, site in zip(seeds, make_twins(arguments.folder / "nine-years", seeds, YEARS), strict=True):
        map_twin(site, seed, model)
        trend = json.loads((site / "artifacts/area/trend.json").read_text(encoding="utf-8"))
        truth = json.loads((site / "metrics/area.json").read_text(encoding="utf-8"))["truth"]
        low, high = trend["slope_low_km2_per_year"], trend["slope_high_km2_per_year"]
        true_slope = truth["true_slope_km2_per_year"]
        if None in (low, high, true_slope):
            print(f"{seed}: no interval, as fewer than five years were observed well enough; counted as missed")
            continue
        is_inside = low <= true_slope <= high
        inside += is_inside
        mark = "" if is_inside else "  MISSED"
        print(f"{seed}: true {true_slope:+.3f} km² per year, stated {low:+.3f} to {high:+.3f}{mark}")
    print(f"{inside} of {arguments.twins} true slopes lie inside their 95 % interval; needed: {100 * SHARE_MIN:.0f} %")
    return 0 if inside >= SHARE_MIN * arguments.twins else 1


if __name__ == "__main__":
    raise SystemExit(main())
