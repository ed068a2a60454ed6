"""Is a planted retreat inside its stated interval? Unseen twins over nine years, mapped by the model of bench.coverage.

    python -m bench.planted [--twins 50] [--folder DIR]

For each twin: the slope of the common area with its 95 % interval against the true one over the same pixels and years,
and, where flow lines are there, the retreat of each front with its interval against the planted one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.coverage import TEST_SEED, map_twin, train_once
from bench.twins import make_twins

YEARS = list(range(2016, 2025))
SHARE = 0.9


def main() -> int:
    """Exit code: 0 enough of the intervals hold the truth, 1 they do not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", type=int, default=50)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="kept, and used again")
    chosen = parser.parse_args()
    model = train_once(chosen.folder, quick=False)
    seeds = range(TEST_SEED, TEST_SEED + chosen.twins)
    inside = 0
    for seed, site in zip(seeds, make_twins(chosen.folder / "nine-years", seeds, YEARS), strict=True):
        map_twin(site, seed, model)
        trend = json.loads((site / "artifacts/area/trend.json").read_text(encoding="utf-8"))
        truth = json.loads((site / "metrics/area.json").read_text(encoding="utf-8"))["truth"]
        low, high, true = (
            trend["slope_low_km2_per_year"],
            trend["slope_high_km2_per_year"],
            truth["true_slope_km2_per_year"],
        )
        if None in (low, high, true):
            print(f"{seed}: fewer than five years seen well enough: no interval, counted as missed")
            continue
        holds = low <= true <= high
        inside += holds
        print(f"{seed}: true {true:+.3f} km2 a year, stated {low:+.3f} to {high:+.3f}{'' if holds else '  MISSED'}")
    print(f"{inside} of {chosen.twins} planted slopes lie inside their 95 % interval; at least {SHARE:.0%} wanted")
    return 0 if inside >= SHARE * chosen.twins else 1


if __name__ == "__main__":
    raise SystemExit(main())
