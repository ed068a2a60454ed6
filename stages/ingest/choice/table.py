"""``scene_choice.csv``: every candidate, its scores, and why it was taken or not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from stages.common.scene.scene import SceneInfo
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.choice.choice import Choice, Year
from stages.ingest.choice.dates import Date
from stages.ingest.sources.acquisition import Acquisition

DECIMALS = 6


def rows_of(candidates: Sequence[Acquisition], choice: Choice) -> list[SceneChoiceRow]:
    """Rows by year, the ranked ones first; a line of its own for each year without any candidate."""
    known = {info_id: {"taken": False, "reason": note} for info_id, note in choice.notes.items()}
    for year in choice.years.values():
        known |= dict(_ranked(year, choice.orbit))
    rows = [row_of(one.info, **known[one.info.id]) for one in candidates]
    bare = set(choice.years) - {row.year for row in rows}
    rows += [SceneChoiceRow(year=year, taken=False, reason="no candidate in the season") for year in bare]
    return sorted(rows, key=lambda row: (row.year, row.rank or math.inf, str(row.date), str(row.id)))


def _ranked(year: Year, orbit: int | None) -> Iterable[tuple[str, dict[str, Any]]]:
    for rank, date in enumerate(year.dates, start=1):
        picked = date in year.pick.taken
        reason = f"the year is missing: {year.missing}" if picked and year.missing else year.pick.reasons[date.info.id]
        known = _scores(date, orbit) | {"rank": rank, "taken": picked and not year.missing, "reason": reason}
        yield from ((tile.info.id, known) for tile in date.tiles)


def _scores(date: Date, orbit: int | None) -> dict[str, Any]:
    figures = {
        "aoi_coverage": date.coverage,
        "cloud_over_glacier": date.cloud,
        "unseen_glacier": date.unseen,
        "off_glacier_snow": date.snow.fraction if date.snow else None,
        "off_glacier_snow_km2": date.snow.area_km2 if date.snow else None,
        "score": date.score,
    }
    own = date.info.relative_orbit
    return {name: None if value is None else round(value, DECIMALS) for name, value in figures.items()} | {
        "on_series_orbit": None if own is None else own == orbit
    }


def row_of(info: SceneInfo, **known: object) -> SceneChoiceRow:
    """Row of a scene."""
    return SceneChoiceRow.model_validate(
        {
            "year": info.year,
            "id": info.id,
            "date": info.day.isoformat() if info.day else None,
            "tile": info.tile,
            "relative_orbit": info.relative_orbit,
            "processing_baseline": info.processing_baseline,
            "product": info.product,
            **known,
        }
    )
