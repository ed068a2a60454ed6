"""What the check of the offset knows of each processing level: the offset that its DN carry, and where pixels are dark.

At the top of the atmosphere the darkest blue is 0.08 to 0.17, because air scatters it: only red and infrared tell. The
surface reflectance of Landsat is negative in shaded blue (3 % of a scene below -0.03 in high mountains), because too
much of that scattered light is removed: there only a shift of every band tells.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stages.common.tables.kinds import DN_OFFSET
from stages.prepare.masks import VISIBLE

RED, INFRARED = "B04", "B08"


@dataclass(frozen=True, kw_only=True)
class Level:
    """Processing level of a sensor."""

    offset: float = -DN_OFFSET
    """Reflectance that is left in where the product's offset is forgotten, and missing where it is subtracted twice."""
    dark_bands: tuple[str, ...] = (RED, INFRARED)
    """Bands whose darkest pixels are judged where no snow tells."""
    shift_in_every_band: bool = True
    """Whether an offset counts as subtracted twice only where every band is negative; else one band is enough."""


SURFACE_SENTINEL2 = Level(dark_bands=VISIBLE, shift_in_every_band=False)

LEVELS: Mapping[str | None, Level] = {
    "L2A": SURFACE_SENTINEL2,
    "L1C": Level(),
    "L1TP": Level(),  # Landsat Collection 2: reflectance at the top of the atmosphere = DN x 2e-5 - 0.1
    "L2SP": Level(offset=0.2),  # Landsat Collection 2: surface reflectance = DN x 2.75e-5 - 0.2
    "HLS": Level(),  # harmonised Landsat and Sentinel-2: without offset, so that 0.1 is what may be subtracted wrongly
    None: Level(),
}
"""By the scene's processing level; None where it is not stated, and then only what holds for all of them is judged."""


def level_of(name: str | None) -> Level:
    """Return what is known of a processing level; of an unknown one, what holds for all."""
    return LEVELS.get(name, LEVELS[None])


def dark_bands(name: str | None, bands: Collection[str]) -> list[str]:
    """Return the bands of a scene whose darkest pixels tell its offset; none where only scattered light is seen."""
    level = level_of(name)
    present = [band for band in level.dark_bands if band in bands]
    if level is SURFACE_SENTINEL2:
        return present
    if name is None and INFRARED not in bands:
        present = [band for band in VISIBLE if band in bands]
    return present if RED in present else []
