"""How a band's DN become reflectance: the one place where products of different origin are brought together.

Sentinel-2 L2A holds DN = 10000 x reflectance, and from processing baseline 04.00 on 1000 more, so that negative
reflectance survives (https://sentinels.copernicus.eu/web/sentinel/-/copernicus-sentinel-2-major-products-upgrade-upcoming).
The baseline decides, never the date: Collection 1 has reprocessed scenes of 2016 with the offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from stages.common.errors import InputError
from stages.common.scene.scene import Scene, SceneInfo
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from stages.common.types import AnyArray, BoolArray, Float32Array

Convention = Literal["stated", "by-baseline", "always-offset", "flagged"]
"""What a source's DN mean.

stated
    Scale and offset stand with the band: a user's GeoTIFF, or a SAFE product with ``BOA_ADD_OFFSET``.
by-baseline
    As ESA delivers it, with nothing stated: the Planetary Computer, the Copernicus Data Space.
always-offset
    Reprocessed or corrected by the catalogue so that every scene carries it: Earth Search ``sentinel-2-c1-l2a``.
flagged
    Earth Search ``sentinel-2-l2a``: ``earthsearch:boa_offset_applied`` says whether it was taken out of the pixels.
"""

FIRST_BASELINE_WITH_OFFSET = (4, 0)

LOCAL_BASELINE = (99, 99)
"""Number of products that the Copernicus Data Space makes itself, on demand: it says nothing about their processing."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Reflectance = DN x scale + offset."""

    scale: float
    offset: float


def calibration_of(scene: Scene, name: str) -> Calibration:
    """Return scale and offset of a stored band.

    Raises
    ------
    InputError
        The convention needs a processing baseline, which the scene does not state, or there is no such convention.
    """
    band = scene.bands[name]
    return calibration_of_info(scene.info, scale=band.scale, offset=band.offset)


def calibration_of_info(info: SceneInfo, *, scale: float, offset: float) -> Calibration:
    """Return scale and offset of a band of a scene.

    Parameters
    ----------
    scale, offset
        What is stated with the band; used where the scene's convention is to state them.

    Raises
    ------
    InputError
        As `calibration_of`.
    """
    if info.convention in (None, "stated"):
        return Calibration(scale=scale, offset=offset)
    return Calibration(scale=DN_SCALE, offset=DN_OFFSET if carries_offset(info) else 0.0)


def carries_offset(info: SceneInfo) -> bool:
    """Return whether 1000 must be subtracted from the DN of a Sentinel-2 scene.

    Raises
    ------
    InputError
        As `calibration_of`.
    """
    match info.convention:
        case "always-offset":
            return True
        case "by-baseline" | "flagged" if made_locally(info):
            raise InputError(
                "the scene's baseline says nothing about its offset",
                where=f"{info.year}, {info.id}",
                expected="a baseline of ESA, such as 05.09",
                found=f"{info.processing_baseline}, made locally",
                fix="name it in ingest.choice.leave_out, and take the product of another baseline",
            )
        case "by-baseline":
            return baseline_of(info) >= FIRST_BASELINE_WITH_OFFSET
        case "flagged":
            return baseline_of(info) >= FIRST_BASELINE_WITH_OFFSET and not info.boa_offset_applied
    raise InputError(
        "what the scene's DN mean is not known",
        where=f"{info.year}, {info.id}",
        expected=" or ".join(get_args(Convention)),
        found=info.convention,
        fix="run `make ingest` again",
    )


def made_locally(info: SceneInfo) -> bool:
    """Return whether a scene's baseline is 99.99, the number of products made locally."""
    return info.processing_baseline is not None and baseline_of(info) == LOCAL_BASELINE


def baseline_of(info: SceneInfo) -> tuple[int, int]:
    """Return the processing baseline as numbers, ``05.09`` as (5, 9).

    Raises
    ------
    InputError
        It is absent or not a baseline.
    """
    major, _, minor = (info.processing_baseline or "").partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise InputError(
            "the scene's processing baseline is not known, and with it whether its DN carry an offset",
            where=f"{info.year}, {info.id}",
            expected="a baseline such as 05.09 (N0509 in the product's name)",
            found=info.processing_baseline,
            fix="give it in the item, or take the product from a catalogue that states it",
        )
    return int(major), int(minor)


def to_physical(dn: AnyArray, has_data: BoolArray, calibration: Calibration) -> Float32Array:
    """Return reflectance (or 8-bit value), (H, W) float32, NaN without data; slightly negative values are kept.

    Single precision keeps a DN to 0.02 over the whole range, so that storing it again gives the same DN.
    """
    values = dn.astype(np.float32)
    values *= np.float32(calibration.scale)
    values += np.float32(calibration.offset)
    values[~has_data] = np.nan
    return values
