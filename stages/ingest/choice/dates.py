"""From single products to candidates: what may be taken at all, and what one day and orbit show together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from stages.common.params.ingest import ChoiceParams, SeasonParams
from stages.common.scene.harmonise import baseline_of
from stages.common.scene.scene import SceneInfo
from stages.common.types import UInt8Array
from stages.ingest.choice.looks import Look, Site, Snow, count, look_at, pack, snow_of
from stages.ingest.region import OutsideError
from stages.ingest.sources.acquisition import Acquisition, GoneError

TILE_GAIN_MIN = 1e-4
"""Share of the AOI that a further tile of the same day must add; below it the tile only repeats another."""

SCORE_DECIMALS = 6

Notes = dict[str, str]
"""Why a scene is not taken, by its id."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Date:
    """A candidate: what was acquired on one day from one orbit."""

    tiles: tuple[Acquisition, ...]
    clear: UInt8Array
    """Where the outlines are seen, packed."""
    coverage: float
    cloud: float
    unseen: float
    """Shares of the AOI and of the outlines, see `SceneChoiceRow`."""
    snow: Snow | None = None
    penalty: float = 0.0

    @property
    def info(self) -> SceneInfo:
        """Of the first tile, which covers most."""
        return self.tiles[0].info

    @property
    def score(self) -> float:
        """0 is best; without a look at the snow, what is known so far."""
        return round(
            (1 - self.coverage) + self.unseen + (self.snow.fraction if self.snow else 0) + self.penalty, SCORE_DECIMALS
        )

    @property
    def order(self) -> tuple[float, str, str]:
        """Best first; equal ones by day."""
        return self.score, str(self.info.day), self.info.id


def sift(
    candidates: Sequence[Acquisition], years: Sequence[int], season: SeasonParams | None, leave_out: Collection[str]
) -> Notes:
    """Candidates that no pixel need be read of."""
    notes: Notes = {}
    for one in candidates:
        info = one.info
        if one.unfit:
            notes[info.id] = one.unfit
        elif info.id in leave_out:
            notes[info.id] = "named in ingest.choice.leave_out"
        elif info.year not in years:
            notes[info.id] = f"{info.year} is not among years"
        elif season and info.day and not season.holds(info.day):
            notes[info.id] = f"outside the season, {season.first} to {season.last}"
    return notes | superseded([one.info for one in candidates if one.info.id not in notes])


def superseded(infos: Iterable[SceneInfo]) -> Notes:
    """Older processings of a tile and day: the highest baseline wins.

    Several products of one baseline stay: a tile can be cut in two where a datastrip ends.
    """
    best: dict[tuple[str, str], tuple[int, int]] = {}
    known = [info for info in infos if info.tile and info.day and info.processing_baseline]
    for info in known:
        key = str(info.tile), str(info.day)
        best[key] = max(best.get(key, (0, 0)), baseline_of(info))
    found = [(info, best[str(info.tile), str(info.day)]) for info in known]
    return {
        info.id: f"the same tile and day exist at baseline {highest[0]:02d}.{highest[1]:02d}"
        for info, highest in found
        if baseline_of(info) < highest
    }


@dataclass(frozen=True, kw_only=True)
class Looker:
    """Looks at candidates, and notes those that show nothing."""

    site: Site
    hiding: Collection[int]
    """SCL classes that hide the surface."""
    notes: Notes
    progress: Callable[[str], None]
    """Told the id of each scene before it is looked at."""

    def dates(self, fit: Sequence[Acquisition]) -> list[Date]:
        """What the scenes of one year show, day by day."""

        def key(one: Acquisition) -> tuple[str, int]:
            return str(one.info.day or one.info.id), one.info.relative_orbit or 0

        found = (self._date(list(tiles)) for _, tiles in groupby(sorted(fit, key=key), key=key))
        return [date for date in found if date]

    def _date(self, tiles: Sequence[Acquisition]) -> Date | None:
        looks = self._looks(tiles)
        seen = sorted(
            (one for one in tiles if one.info.id in looks),
            key=lambda one: (-count(looks[one.info.id].covered), one.info.id),
        )
        kept: list[Acquisition] = []
        covered = clear = np.zeros_like(pack(self.site.aoi))
        for tile in seen:
            look = looks[tile.info.id]
            if count(look.covered & ~covered) <= TILE_GAIN_MIN * self.site.aoi.sum():
                self.notes[tile.info.id] = (
                    "adds nothing to the other tiles of its day" if kept else "no data over the AOI"
                )
                continue
            kept.append(tile)
            covered, clear = covered | look.covered, clear | look.clear
        return _measured(kept, Look(covered=covered, clear=clear), self.site) if kept else None

    def _looks(self, tiles: Sequence[Acquisition]) -> dict[str, Look]:
        looks = {}
        for tile in tiles:
            self.progress(tile.info.id)
            try:
                looks[tile.info.id] = look_at(tile, self.site, self.hiding)
            except (GoneError, OutsideError) as error:
                self.notes[tile.info.id] = f"{error.what}: {Path(error.where).name}"
        return looks

    def with_snow(self, dates: Sequence[Date], params: ChoiceParams) -> list[Date]:
        """The clearest dates with their snow; the others are noted."""
        best = sorted(dates, key=lambda date: date.order)
        for date in best[params.snow_looks :]:
            self._note(date, f"not among the {params.snow_looks} clearest dates: {100 * date.unseen:.0f} % unseen")
        looked = []
        for date in best[: params.snow_looks]:
            try:
                looked.append(replace(date, snow=snow_of(date.tiles, self.site, self.hiding)))
            except GoneError as error:
                self._note(date, f"{error.what}: {Path(error.where).name}")
        return looked

    def _note(self, date: Date, reason: str) -> None:
        self.notes.update({tile.info.id: reason for tile in date.tiles})


def _measured(tiles: Sequence[Acquisition], together: Look, site: Site) -> Date:
    glacier = pack(site.glacier)
    outlines, with_data, shown = (count(bits & glacier) for bits in (glacier, together.covered, together.clear))
    return Date(
        tiles=tuple(tiles),
        clear=together.clear & glacier,
        coverage=count(together.covered) / int(site.aoi.sum()),
        cloud=(with_data - shown) / outlines,
        unseen=1 - shown / outlines,
    )
