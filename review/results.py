"""What the pipeline has found out about a site, as the page to review shows it: read from its files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import ContractError
from stages.common.gates import all_findings
from stages.common.params.schema import Params
from stages.common.run.records import read_document, read_rows
from stages.common.tables import area as tables_area
from stages.common.tables.change import ChangeTrend
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.tables.review import ReviewRow, years_left_out

AREA, REPORT = Path("artifacts/area"), Path("artifacts/report")
MAP_DATA = re.compile(r'<script type="application/json" id="map-data">(.*?)</script>', re.DOTALL)
"""Where the report's page holds what its map shows."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Areas, gates and trends of a site, and what the map of its report shows."""

    areas: list[tables_area.AreaRow]
    glaciers: list[tables_area.GlacierAreaRow]
    gates: list[tables_area.GateFinding]
    trend: tables_area.Trend
    flagged_years: list[int]
    rejected_years: list[int]
    map_document: dict[str, Any]

    @property
    def years(self) -> list[int]:
        """Mapped years, in order."""
        return [row.year for row in self.areas]


def read_results(params: Params) -> Results:
    """Read the results of the site in the working directory.

    Raises
    ------
    ContractError
        A result is absent or is not what it must be, or the report is of other areas.
    """
    series = read_document(AREA / "series.json", tables_area.AreaSeries)
    scores = read_document(Path("metrics/evaluate.json"), EvaluateMetrics)
    change = read_document(AREA / "change_trend.json", ChangeTrend) if (AREA / "change_trend.json").exists() else None
    reviews = read_rows(AREA / "review.csv", ReviewRow) if (AREA / "review.csv").exists() else []
    trend = read_document(AREA / "trend.json", tables_area.Trend)
    areas = sorted(series.years, key=lambda row: row.year)
    return Results(
        areas=areas,
        glaciers=series.glaciers,
        gates=all_findings(read_document(AREA / "gates.json", tables_area.Gates), scores, params.gates),
        trend=trend,
        flagged_years=change.flagged_years if change else [],
        rejected_years=years_left_out(reviews, trend.excluded_years),
        map_document=_map_of_report(areas),
    )


def _map_of_report(areas: list[tables_area.AreaRow]) -> dict[str, Any]:
    """Return what the map of the report shows; refuse a report of other areas: a decision would be of other maps."""
    path = REPORT / "index.html"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        document = dict(json.loads(match[1])) if (match := MAP_DATA.search(text)) else {}
        shown = {point["year"]: point["value"] for point in document["site"]["points"]}
    except (ValueError, KeyError, TypeError):
        document, shown = {}, {}
    if shown != {row.year: row.glacier_area_km2 for row in areas}:
        raise ContractError(
            "the report does not show the areas that `area` has measured", where=path,
            expected="a report of the areas in artifacts/area/series.json",
            found="another state of the site" if shown else "no map in it" if text else "no such file",
            fix="`make repro` writes the report anew",
        )  # fmt: skip
    return document
