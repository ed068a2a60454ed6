"""Optional tables of `area` and `predict`; where one is absent, the page says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from stages.common.run.records import read_document, read_rows
from stages.common.run.stage import Run
from stages.common.tables import area as tables_area
from stages.common.tables.change import ChangeAreaRow, ChangeTrend
from stages.common.tables.drift import DriftRow
from stages.common.tables.review import ReviewRow

Row = TypeVar("Row", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Change of single glaciers, positions of their fronts, passes of each year, and drift of the input."""

    glacier_trends: list[tables_area.GlacierTrendRow]
    fronts: list[tables_area.FrontRow]
    front_trends: list[tables_area.FrontTrendRow]
    changes: list[tables_area.ChangeRow]
    change_map: Path | None
    """Raster of lost and gained ground of the last year that has one; None where no two years can be compared."""
    seasons: list[tables_area.SeasonRow]
    change_trend: ChangeTrend | None
    """Trend of the change product; None in versions that did not write it."""
    change_areas: list[ChangeAreaRow]
    drifts: list[DriftRow]
    reviews: list[ReviewRow] = field(default_factory=list)
    """Who looked at what, and when; empty where nobody has."""

    @property
    def last_changes(self) -> list[tables_area.ChangeRow]:
        """Rows of the last year, which the change map shows."""
        last = max((row.year for row in self.changes), default=None)
        return [row for row in self.changes if row.year == last]


def read_statistics(run: Run) -> Statistics:
    """Read the tables that exist; a table that does not exist is an empty list."""
    maps = [path for path in run.by_year("artifacts/area/change_{years}.tif").values() if path.exists()]
    document = run.path("artifacts/area/change_trend.json")
    return Statistics(
        glacier_trends=_rows(run, "artifacts/area/trend_by_glacier.csv", tables_area.GlacierTrendRow),
        fronts=_rows(run, "artifacts/area/terminus_by_year.csv", tables_area.FrontRow),
        front_trends=_rows(run, "artifacts/area/terminus_by_glacier.csv", tables_area.FrontTrendRow),
        changes=_rows(run, "artifacts/area/change_by_glacier.csv", tables_area.ChangeRow),
        change_map=maps[-1] if maps else None,
        seasons=_rows(run, "artifacts/area/seasons.csv", tables_area.SeasonRow),
        change_trend=read_document(document, ChangeTrend) if document.exists() else None,
        change_areas=_rows(run, "artifacts/area/change_area_by_year.csv", ChangeAreaRow),
        drifts=_rows(run, "artifacts/area/drift_by_year.csv", DriftRow),
        reviews=_rows(run, "artifacts/area/review.csv", ReviewRow),
    )


def _rows(run: Run, template: str, row: type[Row]) -> list[Row]:
    path = run.path(template)
    return read_rows(path, row) if path.exists() else []
