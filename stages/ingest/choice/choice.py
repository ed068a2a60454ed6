"""Choose the candidates that are taken of each year. Nothing here depends on where they come from.

Tiles of one day and orbit are one candidate. Its score adds the share of the AOI without data, the share of the
outlines that is not visible, the share of the visible ground around them under snow and, off the one relative orbit of
the series, a penalty. The lowest score is taken, then further candidates while too much of the outlines stays unseen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stages.common.params.ingest import ChoiceParams, SeasonParams
from stages.ingest.choice.screening import Candidate, CandidateScreener, Rejections, reject_by_metadata
from stages.ingest.choice.visibility import HIDING_CLASSES, SiteMasks, count_pixels
from stages.ingest.sources.acquisition import Acquisition


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Candidates that are taken of one year."""

    taken: list[Candidate]
    reasons: dict[str, str]
    """Why each candidate is taken or not, by the id of its first tile."""
    unseen: float
    """Share of the outlines that no candidate taken shows."""


@dataclass(frozen=True, kw_only=True)
class YearChoice:
    """The candidates of one year and the selection among them."""

    candidates: list[Candidate]
    """All candidates, the best first."""
    selection: Selection
    missing: str | None
    """Why the year has no valid scene; None where it has one."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is taken of all years, and why."""

    years: dict[int, YearChoice]
    rejections: Rejections
    """Why acquisitions were rejected before they were ranked."""
    orbit: int | None
    """The relative orbit that the series keeps to."""

    @property
    def taken(self) -> list[Acquisition]:
        """Acquisitions to store, by year, the best candidate first."""
        return [
            acquisition
            for year_choice in self.years.values()
            for candidate in year_choice.selection.taken
            for acquisition in candidate.acquisitions
        ]

    @property
    def missing(self) -> dict[int, str]:
        """Years without a valid scene, and the reason."""
        return {year: year_choice.missing for year, year_choice in self.years.items() if year_choice.missing}


def choose(
    acquisitions: Sequence[Acquisition], site: SiteMasks, *, years: Sequence[int], season: SeasonParams | None,
    params: ChoiceParams, hiding: Collection[int] = HIDING_CLASSES, progress: Callable[[str], None] = lambda _: None,
) -> Choice:  # fmt: skip
    """Choose acquisitions for each of `years`.

    Parameters
    ----------
    acquisitions
        Acquisitions of any years, with unique ids.
    hiding
        Classes of the scene classification that hide the surface.
    progress
        Called with the id of each acquisition before its pixels are read.

    Raises
    ------
    InputError
        A layer cannot be read. A file that the source no longer has only rejects its acquisition.
    """
    rejections = reject_by_metadata(acquisitions, years, season, params.leave_out)
    screener = CandidateScreener(site=site, hiding=hiding, rejections=rejections, progress=progress)
    screened: dict[int, list[Candidate]] = {}
    for year in years:
        fit = [acquisition for acquisition in _of_year(acquisitions, year) if acquisition.info.id not in rejections]
        screened[year] = screener.with_snow(screener.candidates(fit), params)
    orbit = series_orbit(screened, params.orbit_penalty)
    choices = {}
    for year, candidates in screened.items():
        ranked = _rank(candidates, orbit, params.orbit_penalty)
        selection = select_candidates(ranked, int(site.glacier.sum()), params)
        if ranked:
            missing = _missing(ranked, selection, params)
        else:
            missing = _why_none([rejections[acquisition.info.id] for acquisition in _of_year(acquisitions, year)])
        choices[year] = YearChoice(candidates=ranked, selection=selection, missing=missing)
    return Choice(years=choices, rejections=rejections, orbit=orbit)


def _of_year(acquisitions: Sequence[Acquisition], year: int) -> list[Acquisition]:
    return [acquisition for acquisition in acquisitions if acquisition.info.year == year]


def series_orbit(years: Mapping[int, Sequence[Candidate]], penalty: float) -> int | None:
    """Return the relative orbit with which the best candidates of all years add up to the lowest score."""

    def total(orbit: int) -> float:
        return math.fsum(
            min((candidate.score + _off_orbit(candidate, orbit, penalty) for candidate in candidates), default=0.0)
            for candidates in years.values()
        )

    orbits = {candidate.info.relative_orbit for candidates in years.values() for candidate in candidates}
    return min((orbit for orbit in orbits if orbit is not None), key=lambda orbit: (total(orbit), orbit), default=None)


def _off_orbit(candidate: Candidate, orbit: int | None, penalty: float) -> float:
    return 0.0 if candidate.info.relative_orbit in (None, orbit) else penalty


def _rank(candidates: Sequence[Candidate], orbit: int | None, penalty: float) -> list[Candidate]:
    scored = (replace(candidate, penalty=_off_orbit(candidate, orbit, penalty)) for candidate in candidates)
    return sorted(scored, key=lambda candidate: candidate.order)


def select_candidates(ranked: Sequence[Candidate], outline_pixels: int, params: ChoiceParams) -> Selection:
    """Take the best candidates, then those that fill what the best leave unseen."""
    selection = Selection(taken=[], reasons={}, unseen=1.0)
    visible = np.zeros(0, dtype=np.uint8)
    for rank, candidate in enumerate(ranked, start=1):
        visible = visible if visible.size else np.zeros_like(candidate.clear)
        together = count_pixels(visible | candidate.clear)
        gain = (together - count_pixels(visible)) / outline_pixels
        take, reason = _verdict(candidate, rank, gain, selection, params)
        reasons = selection.reasons | {candidate.info.id: reason}
        if take:
            visible = visible | candidate.clear
            unseen = 1 - together / outline_pixels
            selection = Selection(taken=[*selection.taken, candidate], reasons=reasons, unseen=unseen)
        else:
            selection = replace(selection, reasons=reasons)
    return selection


def _verdict(candidate: Candidate, rank: int, gain: float, so_far: Selection, params: ChoiceParams) -> tuple[bool, str]:
    """Decide whether a candidate is taken, with the reason.

    `gain` is the share of the outlines, 0-1, that only this candidate shows.
    """
    if candidate.snow and candidate.snow.fraction > params.off_glacier_snow_max:
        return False, f"{100 * candidate.snow.fraction:.0f} % snow off the glacier, more than off_glacier_snow_max"
    if candidate.unseen == 1:
        return False, "shows nothing of the outlines"
    if len(so_far.taken) < params.scenes_per_year:
        return True, "the best score of its year" if rank == 1 else f"rank {rank} of its year"
    left = f"better dates leave {100 * so_far.unseen:.1f} % of the outlines unseen"
    if so_far.unseen > params.fill_above and gain >= params.fill_gain_min:
        return True, f"fills {100 * gain:.1f} % of the outlines; {left}"
    return False, f"rank {rank}: {left}, of which it shows {100 * gain:.1f} %"


def _missing(ranked: Sequence[Candidate], selection: Selection, params: ChoiceParams) -> str | None:
    if not selection.taken:
        return "; ".join(f"{candidate.info.day}: {selection.reasons[candidate.info.id]}" for candidate in ranked)
    if selection.unseen > params.unseen_max:
        days = ", ".join(str(candidate.info.day) for candidate in selection.taken)
        return f"{100 * selection.unseen:.0f} % of the outlines stay unseen with all that help ({days})"
    return None


def _why_none(reasons: Sequence[str]) -> str:
    """Summarise why a year has no candidate: the reasons, the most frequent first."""
    common = Counter(reason.partition(":")[0] for reason in reasons).most_common(3)
    counted = ", ".join(f"{reason} ({number})" for reason, number in common)
    return f"no candidate can be used: {counted}" if counted else "no candidate in the season"
