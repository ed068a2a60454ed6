"""The three numbers that README shows of the demo, from the demo's own files.

    python -m bench.readme [--demo .]

Run `make demo` before; it rewrites the rows of the table in README.md.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from bench.fresh_process import ROOT
from stages.common.display.numbers import number_text
from stages.common.display.rounding import sigma_km2
from stages.common.run.records import read_document, read_rows
from stages.common.tables.area import AreaMetrics, AreaRow, FrontTrendRow
from stages.common.tables.change import ChangeTrend
from stages.common.tables.truth import Truth, TruthRow

FRONT, ORDINAL = 1, "second"
"""The glacier whose front is shown, in the order of the table of fronts: the largest first."""

ROWS = re.compile(r"(?<=\| \| mapped \| true \|\n\|---\|---\|---\|\n)(?:\|.*\n)+")
"""The rows below the head of the table."""


def main() -> None:
    """Rewrite the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    demo = parser.parse_args().demo
    rows = [area_row(demo), change_row(demo), front_row(demo)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    readme = ROOT / "README.md"
    readme.write_text(ROWS.sub(lambda _: table, readme.read_text(encoding="utf-8")), encoding="utf-8")
    print(table, end="")


def area_row(demo: Path) -> tuple[str, str, str]:
    """Return what is measured, mapped and true: the area of the last year."""
    area = read_rows(demo / "artifacts/area/glacier_area_by_year.csv", AreaRow)[-1]
    truth = read_rows(demo / "artifacts/area/truth_by_year.csv", TruthRow)[-1]
    sigma = number_text(sigma_km2(area), 1)
    mapped = f"{number_text(area.glacier_area_km2, 1)} ± {sigma} km² (one standard deviation)"
    return f"glacier area in {area.year}", mapped, f"{number_text(truth.true_area_km2, 1)} km²"


def change_row(demo: Path) -> tuple[str, str, str]:
    """Return the same of the change of the area."""
    trend = read_document(demo / "artifacts/area/change_trend.json", ChangeTrend)
    change = read_document(demo / "metrics/area.json", AreaMetrics).change
    slopes = trend.slope_km2_per_year, trend.slope_low_km2_per_year, trend.slope_high_km2_per_year
    slope, low, high = (number_text(value, 2) for value in slopes)
    mapped = f"{slope} km² per year (95 %: {low} to {high}): {_detected(trend.detectable)}"
    true = number_text(change.true_slope_km2_per_year if change else None, 3)
    return "change (its own product)", mapped, f"{true} km² per year"


def front_row(demo: Path) -> tuple[str, str, str]:
    """Return the same of the retreat of a front."""
    front = read_rows(demo / "artifacts/area/terminus_by_glacier.csv", FrontTrendRow)[FRONT]
    years = read_document(demo / "data/truth/truth.json", Truth).years
    first, last = (
        next(glacier.length_m for glacier in year.glaciers if glacier.rgi_id == front.rgi_id)
        for year in (years[0], years[-1])
    )
    rate, low, high = (
        number_text(value, 0)
        for value in (front.rate_m_per_year, front.rate_low_m_per_year, front.rate_high_m_per_year)
    )
    mapped = f"{rate} m per year (95 %: {low} to {high}): {_detected(front.detectable)}"
    true = number_text((first - last) / (years[-1].year - years[0].year), 0)
    return f"retreat of the {ORDINAL} largest front", mapped, f"{true} m per year"


def _detected(detectable: bool | None) -> str:
    return "detected" if detectable else "not detected"


if __name__ == "__main__":
    main()
