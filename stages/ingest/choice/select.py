"""From a source's candidates to the scenes that are stored, with the table that says why."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stages.common.errors import InputError
from stages.common.params.prepare import PrepareParams
from stages.common.params.schema import Params
from stages.common.run.outputs import write_table
from stages.common.tables.data import SceneChoiceRow
from stages.ingest.choice.choice import Choice, choose
from stages.ingest.choice.looks import NO_DATA, SATURATED, site_of
from stages.ingest.choice.table import row_of, rows_of
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition
from stages.ingest.sources.choose import LISTED

TABLE = "scene_choice.csv"

log = logging.getLogger("ingest")

REFUSED = Path("artifacts/ingest", TABLE)
"""Where the table is left when a year has no valid scene; ``data/`` stays as it was."""


def select(
    params: Params, region: Region, outlines: Any, candidates: Sequence[Acquisition]
) -> tuple[list[Acquisition], list[SceneChoiceRow]]:
    """Scenes to store, by year, and a row for every candidate; all are taken where params.yaml lists them one by one.

    Raises
    ------
    InputError
        A year has no valid scene, two candidates have one id, or a layer cannot be read.
    """
    _check_ids(candidates)
    if params.ingest.source in LISTED:
        return list(candidates), [row_of(one.info, taken=True, reason="listed in params.yaml") for one in candidates]
    choice = _choose(params, region, outlines, candidates)
    rows = rows_of(candidates, choice)
    _report(choice)
    if choice.missing:
        REFUSED.parent.mkdir(parents=True, exist_ok=True)
        write_table(REFUSED, rows, SceneChoiceRow)
        raise _missing_years(params, choice)
    REFUSED.unlink(missing_ok=True)
    return choice.taken, rows


def _choose(params: Params, region: Region, outlines: Any, candidates: Sequence[Acquisition]) -> Choice:
    how = params.ingest.choice
    site = site_of(region, outlines, snow_buffer_m=how.snow_buffer_m)
    with tqdm(total=len(candidates), unit="scene", disable=None) as bar:

        def progress(name: str) -> None:
            bar.set_description(f"looking at {name}")
            bar.update()

        return choose(
            candidates,
            site,
            years=params.years,
            season=params.ingest.season,
            params=how,
            hiding=hiding(params.prepare),
            progress=progress,
        )


def hiding(prepare: PrepareParams) -> set[int]:
    """Scene classes that hide the surface, as `prepare` will judge; saturated pixels over a glacier are bright snow."""
    seen = {NO_DATA, SATURATED} if prepare.keep_saturated_snow else {NO_DATA}
    return {number for number in prepare.scl_invalid if number not in seen}


def _check_ids(candidates: Sequence[Acquisition]) -> None:
    ids = [one.info.id for one in candidates]
    if doubled := sorted({one for one in ids if ids.count(one) > 1}):
        raise InputError(
            "two candidate scenes have one id",
            where="params.yaml: ingest",
            expected="each product once",
            found=", ".join(doubled[:5]),
            fix="remove the copy",
        )


def _report(choice: Choice) -> None:
    for number, year in choice.years.items():
        for date in year.pick.taken:
            snow = f", {100 * date.snow.fraction:.0f} % snow around them" if date.snow else ""
            tiles = ", ".join(tile.info.id for tile in date.tiles)
            log.info("%d: %s, %.1f %% of the outlines seen%s", number, tiles, 100 * (1 - date.unseen), snow)
        if year.missing:
            log.warning("%d is missing: %s", number, year.missing)


def _missing_years(params: Params, choice: Choice) -> InputError:
    years = list(choice.missing)
    kept = [year for year in params.years if year not in years]
    return InputError(
        f"there is no valid scene of {', '.join(map(str, years))}",
        where=f"{REFUSED} lists every candidate with its scores",
        expected=f"at most {100 * params.ingest.choice.unseen_max:g} % of the outlines unseen (choice.unseen_max)",
        found="; ".join(f"{year}: {reason}" for year, reason in choice.missing.items()),
        fix=f"leave it out (years: {kept}), or widen ingest.season",
    )
