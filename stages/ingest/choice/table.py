"""``scene_choice.csv``: every candidate, its scores, and why it was taken or not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from stages.common.scene.scene import SceneInfo
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.choice.choice import Choice, YearChoice
from stages.ingest.choice.screening import Candidate
from stages.ingest.sources.acquisition import Acquisition

DECIMALS = 6


def rows_of(acquisitions: Sequence[Acquisition], choice: Choice) -> list[SceneChoiceRow]:
    """Return a row per acquisition, by year, the ranked ones first, and a row for each year without any."""
    columns = {scene_id: {"taken": False, "reason": reason} for scene_id, reason in choice.rejections.items()}
    for year_choice in choice.years.values():
        columns |= dict(_ranked(year_choice, choice.orbit))
    rows = [row_of(acquisition.info, **columns[acquisition.info.id]) for acquisition in acquisitions]
    empty_years = set(choice.years) - {row.year for row in rows}
    rows += [SceneChoiceRow(year=year, taken=False, reason="no candidate in the season") for year in empty_years]
    return sorted(rows, key=lambda row: (row.year, row.rank or math.inf, str(row.date), str(row.id)))


def _ranked(year_choice: YearChoice, orbit: int | None) -> Iterable[tuple[str, dict[str, Any]]]:
    selection, missing = year_choice.selection, year_choice.missing
    for rank, candidate in enumerate(year_choice.candidates, start=1):
        selected = candidate in selection.taken
        reason = selection.reasons[candidate.info.id]
        if selected and missing:
            reason = f"the year is missing: {missing}"
        columns = _scores(candidate, orbit) | {"rank": rank, "taken": selected and not missing, "reason": reason}
        yield from ((acquisition.info.id, columns) for acquisition in candidate.acquisitions)


def _scores(candidate: Candidate, orbit: int | None) -> dict[str, Any]:
    figures = {
        "aoi_coverage": candidate.coverage,
        "cloud_over_glacier": candidate.cloud,
        "unseen_glacier": candidate.unseen,
        "off_glacier_snow": candidate.snow.fraction if candidate.snow else None,
        "off_glacier_snow_km2": candidate.snow.area_km2 if candidate.snow else None,
        "score": candidate.score,
    }
    own_orbit = candidate.info.relative_orbit
    return {name: None if value is None else round(value, DECIMALS) for name, value in figures.items()} | {
        "on_series_orbit": None if own_orbit is None else own_orbit == orbit
    }


def row_of(info: SceneInfo, **columns: object) -> SceneChoiceRow:
    """Return the row of an acquisition: its metadata and the other `columns`."""
    return SceneChoiceRow.model_validate(
        {
            "year": info.year,
            "id": info.id,
            "date": info.day.isoformat() if info.day else None,
            "tile": info.tile,
            "relative_orbit": info.relative_orbit,
            "processing_baseline": info.processing_baseline,
            "product": info.product,
            **columns,
        }
    )
