"""Which acquisitions belong to one overpass of a satellite: those of one orbit and day, across midnight UTC too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from stages.common.scene.scene import SceneInfo

OVERPASS_MAX = dt.timedelta(hours=1)
"""Longest time between two tiles of one overpass. Half an orbit takes 50 minutes; an orbit repeats after days."""

Overpass = tuple[dt.date | None, int | None]
"""Day (UTC) on which it began, and relative orbit."""


def overpasses(infos: Sequence[SceneInfo]) -> list[Overpass]:
    """Return the overpass of each acquisition, in their order.

    A datatake that crosses midnight has the day on which it began. Where the orbit or the time of day is not known, the
    day alone decides.
    """
    result: list[Overpass] = [(info.day, info.relative_orbit) for info in infos]
    instants = [(info.acquired, at) for at, info in enumerate(infos) if isinstance(info.acquired, dt.datetime)]
    latest: dict[int, tuple[dt.datetime, Overpass]] = {}
    for instant, at in sorted(instants):
        orbit = infos[at].relative_orbit
        if orbit is None:
            continue
        if orbit in latest and instant - latest[orbit][0] <= OVERPASS_MAX:
            result[at] = latest[orbit][1]
        latest[orbit] = instant, result[at]
    return result
