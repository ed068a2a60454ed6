"""From single acquisitions to candidates: which may be taken at all, and what one day and orbit show together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stages.common.params.ingest import ChoiceParams, SeasonParams
from stages.common.scene.harmonise import baseline_of, made_locally
from stages.common.scene.overpass import overpasses
from stages.common.scene.scene import SceneInfo
from stages.common.types import UInt8Array
from stages.ingest.choice.snow import SnowCover, snow_around_outlines
from stages.ingest.choice.visibility import ScreenedTile, SiteMasks, count_pixels, pack_mask, tile_visibility
from stages.ingest.region import OutsideError
from stages.ingest.sources.acquisition import Acquisition, GoneError

TILE_GAIN_MIN = 1e-4
"""Share of the AOI that a further tile of the same day must add; below it the tile only repeats another."""

SCORE_DECIMALS = 6

Rejections = dict[str, str]
"""Why an acquisition is not taken, by its id."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """All tiles that were acquired on one day from one orbit, and what they show together."""

    tiles: tuple[ScreenedTile, ...]
    clear: UInt8Array
    """Visible pixels of the outlines, packed."""
    coverage: float
    """Share of the AOI with data."""
    cloud: float
    """Share of the outlines that has data but whose surface is hidden."""
    unseen: float
    """Share of the outlines that is not visible."""
    snow: SnowCover | None = None
    """None until the snow has been measured."""
    penalty: float = 0.0
    """What is added to the score because the candidate is not on the orbit of the series."""

    @property
    def acquisitions(self) -> list[Acquisition]:
        """The tiles' acquisitions, the one that covers most first."""
        return [tile.acquisition for tile in self.tiles]

    @property
    def info(self) -> SceneInfo:
        """Metadata of the tile that covers most."""
        return self.tiles[0].acquisition.info

    @property
    def score(self) -> float:
        """Sum of all that speaks against the candidate: 0 is best. Snow counts once it has been measured."""
        return round(
            (1 - self.coverage) + self.unseen + (self.snow.fraction if self.snow else 0) + self.penalty, SCORE_DECIMALS
        )

    @property
    def order(self) -> tuple[float, str, str]:
        """Sort key: the best score first, equal scores by day and id."""
        return self.score, str(self.info.day), self.info.id


def reject_by_metadata(
    acquisitions: Sequence[Acquisition], years: Sequence[int], season: SeasonParams | None, leave_out: Collection[str]
) -> Rejections:
    """Return the acquisitions that can be rejected before any of their pixels is read, with the reasons."""
    rejections: Rejections = {}
    for acquisition in acquisitions:
        info = acquisition.info
        if acquisition.unfit:
            rejections[info.id] = acquisition.unfit
        elif info.id in leave_out:
            rejections[info.id] = "named in ingest.choice.leave_out"
        elif info.year not in years:
            rejections[info.id] = f"{info.year} is not among years"
        elif season and info.day and not season.holds(info.day):
            rejections[info.id] = f"outside the season, {season.first} to {season.last}"
    remaining = [acquisition.info for acquisition in acquisitions if acquisition.info.id not in rejections]
    return rejections | superseded(remaining)


def superseded(infos: Iterable[SceneInfo]) -> Rejections:
    """Return the older processings of a tile, day and orbit, of which only the highest baseline is used.

    Several products of one baseline stay: a tile can be cut in two where a datastrip ends. A product made locally has
    no baseline of its own, and gives way to any that has one.
    """
    highest: dict[tuple[object, ...], tuple[int, int]] = {}
    comparable = [info for info in infos if info.tile and info.day and info.processing_baseline]
    for info in comparable:
        key = _processed(info)
        highest[key] = max(highest.get(key, (0, 0)), _rank_of_baseline(info))
    pairs = [(info, highest[_processed(info)]) for info in comparable]
    return {
        info.id: f"the same tile and day exist at baseline {baseline[0]:02d}.{baseline[1]:02d}"
        for info, baseline in pairs
        if _rank_of_baseline(info) < baseline
    }


def _processed(info: SceneInfo) -> tuple[object, ...]:
    return info.tile, info.day, info.relative_orbit


def _rank_of_baseline(info: SceneInfo) -> tuple[int, int]:
    return (0, 0) if made_locally(info) else baseline_of(info)


@dataclass(frozen=True, kw_only=True)
class CandidateScreener:
    """Measures what acquisitions show, and records why some of them are rejected."""

    site: SiteMasks
    hiding: Collection[int]
    """Classes of the scene classification that hide the surface."""
    rejections: Rejections
    """Reasons; screening adds its own."""
    progress: Callable[[str], None]
    """Called with the id of each acquisition before its pixels are read."""

    def candidates(self, acquisitions: Sequence[Acquisition]) -> list[Candidate]:
        """Group the acquisitions of one year by overpass, and return the groups that show anything."""
        groups: dict[tuple[str, int], list[Acquisition]] = {}
        infos = [acquisition.info for acquisition in acquisitions]
        for acquisition, (day, orbit) in zip(acquisitions, overpasses(infos), strict=True):
            groups.setdefault((str(day or acquisition.info.id), orbit or 0), []).append(acquisition)
        candidates = (self._candidate(group) for _, group in sorted(groups.items()))
        return [candidate for candidate in candidates if candidate]

    def _candidate(self, acquisitions: Sequence[Acquisition]) -> Candidate | None:
        tiles = sorted(
            self._screened_tiles(acquisitions),
            key=lambda tile: (-count_pixels(tile.visibility.covered), tile.acquisition.info.id),
        )
        useful: list[ScreenedTile] = []
        covered = clear = np.zeros_like(pack_mask(self.site.aoi))
        for tile in tiles:
            if count_pixels(tile.visibility.covered & ~covered) <= TILE_GAIN_MIN * self.site.aoi.sum():
                reason = "adds nothing to the other tiles of its day" if useful else "no data over the AOI"
                self.rejections[tile.acquisition.info.id] = reason
                continue
            useful.append(tile)
            covered, clear = covered | tile.visibility.covered, clear | tile.visibility.clear
        return _measured(useful, covered, clear, self.site) if useful else None

    def _screened_tiles(self, acquisitions: Sequence[Acquisition]) -> list[ScreenedTile]:
        tiles = []
        for acquisition in acquisitions:
            self.progress(acquisition.info.id)
            try:
                visibility = tile_visibility(acquisition, self.site, self.hiding)
            except (GoneError, OutsideError) as error:
                self.rejections[acquisition.info.id] = reason_of(error)
            else:
                tiles.append(ScreenedTile(acquisition=acquisition, visibility=visibility))
        return tiles

    def with_snow(self, candidates: Sequence[Candidate], params: ChoiceParams) -> list[Candidate]:
        """Measure the snow of the clearest candidates and return them; the others are rejected."""
        ordered = sorted(candidates, key=lambda candidate: candidate.order)
        for candidate in ordered[params.snow_looks :]:
            unseen = f"{100 * candidate.unseen:.0f} % unseen"
            self._reject(candidate, f"not among the {params.snow_looks} clearest dates: {unseen}")
        measured = []
        for candidate in ordered[: params.snow_looks]:
            try:
                measured.append(replace(candidate, snow=snow_around_outlines(candidate.tiles, self.site)))
            except GoneError as error:
                self._reject(candidate, reason_of(error))
        return measured

    def _reject(self, candidate: Candidate, reason: str) -> None:
        self.rejections.update({acquisition.info.id: reason for acquisition in candidate.acquisitions})


def reason_of(error: GoneError | OutsideError) -> str:
    """Return why a scene is ruled out, with the name of the file that cannot be used."""
    return f"{error.what}: {Path(error.where).name}"


def _measured(tiles: Sequence[ScreenedTile], covered: UInt8Array, clear: UInt8Array, site: SiteMasks) -> Candidate:
    glacier = pack_mask(site.glacier)
    outlines, with_data, visible = (count_pixels(bits & glacier) for bits in (glacier, covered, clear))
    return Candidate(
        tiles=tuple(tiles),
        clear=clear & glacier,
        coverage=count_pixels(covered) / int(site.aoi.sum()),
        cloud=(with_data - visible) / outlines,
        unseen=1 - visible / outlines,
    )
