"""Select the acquisitions of a source that are stored, and write the table of reasons."""

from __future__ import annotations

import logging
from collections import Counter
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
from stages.ingest.choice.table import row_of, rows_of
from stages.ingest.choice.visibility import NO_DATA, SATURATED, site_masks
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition
from stages.ingest.sources.choose import LISTED_SOURCES

TABLE = "scene_choice.csv"

REFUSED_TABLE = Path("artifacts/ingest", TABLE)
"""Where the table is left when a year has no valid scene; ``data/`` stays as it was."""

log = logging.getLogger("ingest")


def select_acquisitions(
    params: Params, region: Region, outlines: Any, acquisitions: Sequence[Acquisition]
) -> tuple[list[Acquisition], list[SceneChoiceRow]]:
    """Return the acquisitions to store, by year, and a table row per acquisition.

    Where params.yaml lists the scenes one by one, all of them are taken.

    Raises
    ------
    InputError
        A year has no valid scene, two acquisitions have the same id, or a layer cannot be read.
    """
    _check_ids(acquisitions)
    if params.ingest.source in LISTED_SOURCES:
        reason = "listed in params.yaml"
        return list(acquisitions), [row_of(listed.info, taken=True, reason=reason) for listed in acquisitions]
    choice = _choose(params, region, outlines, acquisitions)
    rows = rows_of(acquisitions, choice)
    _report(choice)
    if choice.missing:
        REFUSED_TABLE.parent.mkdir(parents=True, exist_ok=True)
        write_table(REFUSED_TABLE, rows, SceneChoiceRow)
        raise _missing_years(params, choice)
    REFUSED_TABLE.unlink(missing_ok=True)
    return choice.taken, rows


def _choose(params: Params, region: Region, outlines: Any, acquisitions: Sequence[Acquisition]) -> Choice:
    site = site_masks(region, outlines, snow_buffer_m=params.ingest.choice.snow_buffer_m)
    with tqdm(total=len(acquisitions), unit="scene", disable=None) as bar:

        def progress(name: str) -> None:
            bar.set_description(f"looking at {name}")
            bar.update()

        return choose(
            acquisitions,
            site,
            years=params.years,
            season=params.ingest.season,
            params=params.ingest.choice,
            hiding=hiding_classes(params.prepare),
            progress=progress,
        )


def hiding_classes(prepare: PrepareParams) -> set[int]:
    """Return the scene classes that hide the surface, as `prepare` will judge.

    Pixels without data are counted apart, and saturated pixels over a glacier are bright snow.
    """
    not_hiding = {NO_DATA, SATURATED} if prepare.keep_saturated_snow else {NO_DATA}
    return {number for number in prepare.scl_invalid if number not in not_hiding}


def _check_ids(acquisitions: Sequence[Acquisition]) -> None:
    counts = Counter(acquisition.info.id for acquisition in acquisitions)
    if doubled := sorted(scene_id for scene_id, count in counts.items() if count > 1):
        raise InputError(
            "two candidate scenes have the same id",
            where="params.yaml: ingest",
            expected="each product once",
            found=", ".join(doubled[:5]),
            fix="remove the copy",
        )


def _report(choice: Choice) -> None:
    for year, year_choice in choice.years.items():
        for candidate in year_choice.selection.taken:
            snow = f", {100 * candidate.snow.fraction:.0f} % snow around them" if candidate.snow else ""
            tiles = ", ".join(acquisition.info.id for acquisition in candidate.acquisitions)
            log.info("%d: %s, %.1f %% of the outlines visible%s", year, tiles, 100 * (1 - candidate.unseen), snow)
        if year_choice.missing:
            log.warning("%d is missing: %s", year, year_choice.missing)


def _missing_years(params: Params, choice: Choice) -> InputError:
    years = list(choice.missing)
    remaining = [year for year in params.years if year not in years]
    return InputError(
        f"there is no valid scene of {', '.join(map(str, years))}",
        where=f"{REFUSED_TABLE} lists every candidate with its scores",
        expected=f"at most {100 * params.ingest.choice.unseen_max:g} % of the outlines unseen (choice.unseen_max)",
        found="; ".join(f"{year}: {reason}" for year, reason in choice.missing.items()),
        fix=f"leave it out (years: {remaining}), or widen ingest.season",
    )
