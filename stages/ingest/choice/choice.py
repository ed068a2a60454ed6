"""Which of a year's candidate scenes are taken. Knows nothing of where they come from.

Tiles of one day and orbit are one candidate. Its score adds the share of the AOI without data, the share of the
outlines not seen, the share of the visible ground around them under snow and, off the series' one relative orbit, a
penalty. The lowest score is taken, then further dates while too much of the outlines stays unseen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stages.common.params.ingest import ChoiceParams, SeasonParams
from stages.ingest.choice.dates import Date, Looker, Notes, sift
from stages.ingest.choice.looks import HIDING, Site, count
from stages.ingest.sources.acquisition import Acquisition


@dataclass(frozen=True, kw_only=True)
class Pick:
    """Dates taken of one year."""

    taken: list[Date]
    reasons: dict[str, str]
    """Of every date, by the id of its first tile."""
    unseen: float
    """Share of the outlines that none of the dates taken shows."""


@dataclass(frozen=True, kw_only=True)
class Year:
    """What was found for one year."""

    dates: list[Date]
    """The best first."""
    pick: Pick
    missing: str | None
    """Why there is no valid scene, where there is none."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was taken and why."""

    years: dict[int, Year]
    notes: Notes
    """Why scenes were ruled out before they were ranked."""
    orbit: int | None
    """The relative orbit that the series keeps to."""

    @property
    def taken(self) -> list[Acquisition]:
        """Scenes by year, the best date first."""
        return [tile for year in self.years.values() for date in year.pick.taken for tile in date.tiles]

    @property
    def missing(self) -> dict[int, str]:
        """Years without a valid scene, and the reason."""
        return {number: year.missing for number, year in self.years.items() if year.missing}


def choose(
    candidates: Sequence[Acquisition], site: Site, *, years: Sequence[int], season: SeasonParams | None,
    params: ChoiceParams, hiding: Collection[int] = HIDING, progress: Callable[[str], None] = lambda _: None,
) -> Choice:  # fmt: skip
    """Choose scenes for each of `years`.

    Parameters
    ----------
    candidates
        Scenes of any years, with unique ids.
    hiding
        SCL classes that hide the surface.
    progress
        Told the id of each scene before it is looked at.

    Raises
    ------
    InputError
        A layer cannot be read; a file that is gone only rules its scene out.
    """
    notes = sift(candidates, years, season, params.leave_out)
    looker = Looker(site=site, hiding=hiding, notes=notes, progress=progress)
    looked: dict[int, list[Date]] = {}
    for year in years:
        fit = [one for one in candidates if one.info.year == year and one.info.id not in notes]
        looked[year] = looker.with_snow(looker.dates(fit), params)
    orbit = series_orbit(looked, params.orbit_penalty)
    ranked = {year: _rank(dates, orbit, params.orbit_penalty) for year, dates in looked.items()}
    picks = {year: pick(dates, int(site.glacier.sum()), params) for year, dates in ranked.items()}
    missing = {year: reason for year in years if (reason := _missing(ranked[year], picks[year], params))}
    for year in missing:
        if not ranked[year]:
            missing[year] = _why_none([notes[one.info.id] for one in candidates if one.info.year == year])
    return Choice(
        years={year: Year(dates=ranked[year], pick=picks[year], missing=missing.get(year)) for year in years},
        notes=notes,
        orbit=orbit,
    )


def series_orbit(years: Mapping[int, Sequence[Date]], penalty: float) -> int | None:
    """The relative orbit with which the best scenes of all years add up to the lowest score."""

    def total(orbit: int) -> float:
        costs = (
            min((date.score + _off(date, orbit, penalty) for date in dates), default=0.0) for dates in years.values()
        )
        return math.fsum(costs)

    orbits = {date.info.relative_orbit for dates in years.values() for date in dates}
    return min((orbit for orbit in orbits if orbit is not None), key=lambda orbit: (total(orbit), orbit), default=None)


def _off(date: Date, orbit: int | None, penalty: float) -> float:
    return 0.0 if date.info.relative_orbit in (None, orbit) else penalty


def _rank(dates: Sequence[Date], orbit: int | None, penalty: float) -> list[Date]:
    scored = (replace(date, penalty=_off(date, orbit, penalty)) for date in dates)
    return sorted(scored, key=lambda date: date.order)


def pick(dates: Sequence[Date], outline_pixels: int, params: ChoiceParams) -> Pick:
    """Take the best dates, then those that fill what they leave unseen."""
    picked = Pick(taken=[], reasons={}, unseen=1.0)
    seen = np.zeros(0, dtype=np.uint8)
    for rank, date in enumerate(dates, start=1):
        seen = seen if seen.size else np.zeros_like(date.clear)
        together = count(seen | date.clear)
        take, reason = _verdict(date, rank, (together - count(seen)) / outline_pixels, picked, params)
        reasons = picked.reasons | {date.info.id: reason}
        if take:
            seen = seen | date.clear
            picked = Pick(taken=[*picked.taken, date], reasons=reasons, unseen=1 - together / outline_pixels)
        else:
            picked = replace(picked, reasons=reasons)
    return picked


def _verdict(date: Date, rank: int, gain: float, so_far: Pick, params: ChoiceParams) -> tuple[bool, str]:
    short = len(so_far.taken) < params.scenes_per_year
    if date.snow and date.snow.fraction > params.off_glacier_snow_max:
        return False, f"{100 * date.snow.fraction:.0f} % snow off the glacier, more than off_glacier_snow_max"
    if date.unseen == 1:
        return False, "shows nothing of the outlines"
    if short:
        return True, "the best score of its year" if rank == 1 else f"rank {rank} of its year"
    left = f"better dates leave {100 * so_far.unseen:.1f} % of the outlines unseen"
    if so_far.unseen > params.fill_above and gain >= params.fill_gain_min:
        return True, f"fills {100 * gain:.1f} % of the outlines; {left}"
    return False, f"rank {rank}: {left}, of which it shows {100 * gain:.1f} %"


def _missing(dates: Sequence[Date], pick: Pick, params: ChoiceParams) -> str | None:
    if not dates:
        return "no candidate"
    if not pick.taken:
        return "; ".join(f"{date.info.day}: {pick.reasons[date.info.id]}" for date in dates)
    if pick.unseen > params.unseen_max:
        days = ", ".join(str(date.info.day) for date in pick.taken)
        return f"{100 * pick.unseen:.0f} % of the outlines stay unseen with all that help ({days})"
    return None


def _why_none(notes: Sequence[str]) -> str:
    """The reasons, the most frequent first."""
    common = Counter(note.partition(":")[0] for note in notes).most_common(3)
    reasons = ", ".join(f"{reason} ({number})" for reason, number in common)
    return f"no candidate can be used: {reasons}" if reasons else "no candidate in the season"
