"""Reflectance into storage. A pixel without data is NaN before, 0 after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.planes import Bits
from stages.common.geo.rows import strips
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Scene
from stages.common.tables.kinds import DN_OFFSET, DN_SCALE
from stages.common.types import AnyArray, BoolArray, Float32Array, Rows

DN_MIN, DN_MAX = 1, 65535
"""DNs of valid pixels: 0 is nodata. Reflectance -0.0999 to 6.4535."""

CLIPPED_FRACTION_MAX = 0.5
"""If more than this is clipped, the scale is wrong: reflectance above 6.4 does not occur over whole scenes."""

BRIGHT, BRIGHT_SHARE_MAX = 2.0, 0.01
"""No ground reflects more than this, but for a few pixels: four real seasons of snow in the Khumbu reach 1.80, a real
scene at the top of the atmosphere 1.30. Landsat's surface reflectance with Sentinel-2's scale is 3.3 on ice."""

RGB_MAX = 255


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How scene.tif holds pixels: value = DN x scale + offset."""

    dtype: Literal["uint16", "uint8"]
    nodata: float | None
    scale: float
    offset: float


STORAGE = {
    "sentinel2": Storage(dtype="uint16", nodata=0.0, scale=DN_SCALE, offset=DN_OFFSET),
    "rgb8": Storage(dtype="uint8", nodata=None, scale=1.0, offset=0.0),
}


def to_storage(values: Float32Array, observed: BoolArray, storage: str) -> tuple[AnyArray, int]:
    """Return (H, W) pixels as scene.tif holds them, 0 where not observed, and the number that had to be clipped.

    Parameters
    ----------
    values
        (H, W) reflectance, or 8-bit values; anything where not observed.
    observed
        (H, W) bool.
    storage
        A key of `STORAGE`.
    """
    layout = STORAGE[storage]
    low, high = (0, RGB_MAX) if storage == "rgb8" else (DN_MIN, DN_MAX)
    dn = np.where(observed, values, np.float32(low))
    np.subtract(dn, np.float32(layout.offset), out=dn, where=observed)
    np.divide(dn, np.float32(layout.scale), out=dn, where=observed)
    np.rint(dn, out=dn)
    clipped = int(((dn < low) | (dn > high)).sum())
    np.clip(dn, low, high, out=dn)
    dn[~observed] = 0
    return dn.astype(layout.dtype), clipped


def check_storage(scene: Scene, names: Sequence[str], storage: str) -> None:
    """Refuse scenes that the storage cannot hold as they are.

    Raises
    ------
    InputError
        A band is absent; or storage is rgb8 and the pixels are not plain 8-bit values.
    """
    for name in names:
        if name not in scene.bands:
            raise InputError(
                "a stored scene lacks a band",
                where=f"{scene.info.year}, {scene.info.id}",
                expected=f"prepare.bands: {list(names)}",
                found=list(scene.bands),
                fix="run `make ingest` after correcting params.yaml",
            )
        band = scene.bands[name]
        if storage == "rgb8" and (band.dtype, band.scale, band.offset) != ("uint8", 1.0, 0.0):
            raise InputError(
                "the scene is not 8-bit RGB",
                where=f"{scene.info.year}, {scene.info.id}, band {name}",
                expected="uint8, scale 1, offset 0",
                found=f"{band.dtype}, scale {band.scale:g}, offset {band.offset:g}",
                fix="set prepare.storage to sentinel2 for reflectance, or convert the scene to 8 bits",
            )


def check_bright(bright_px: int, reflectance: Rows, seen: Bits, scene: Scene, band: str) -> None:
    """Refuse a band that is brighter than any ground: its scale or offset is of another sensor.

    Parameters
    ----------
    bright_px
        Number of the pixels that are seen and above `BRIGHT`.
    reflectance
        (H, W).
    seen
        (H, W) bool.

    Raises
    ------
    InputError
        More than `BRIGHT_SHARE_MAX` of them are above `BRIGHT`.
    """
    share = bright_px / max(seen.sum(), 1)
    if share > BRIGHT_SHARE_MAX:
        values = np.concatenate([reflectance[rows][seen[rows]] for rows in strips(len(seen))])
        used = calibration_of(scene, band)
        raise InputError(
            "the pixels are brighter than any ground",
            where=f"{scene.info.year}, {scene.info.id}, band {band} (scale {used.scale:g}, offset {used.offset:g})",
            expected=f"at most {100 * BRIGHT_SHARE_MAX:g} % of the reflectance above {BRIGHT:g}",
            found=f"{100 * share:.1f} % above it, the median is {float(np.nanmedian(values)):.2g}",
            fix="correct scale and offset in ingest.raster.scenes (Sentinel-2: 0.0001; Landsat Collection 2 level 2: "
            f"0.0000275 and -0.2); if you know that it is right, add {scene.info.id} to prepare.trusted_offsets",
        )


def check_clipped(clipped: int, values: int, *, scene_ids: str) -> None:
    """Refuse a scene most of whose values the storage cannot hold: its scale or offset is wrong.

    Raises
    ------
    InputError
        More than half of the `values` observed values were clipped.
    """
    if clipped > CLIPPED_FRACTION_MAX * values:
        raise InputError(
            "most values lie outside what can be reflectance",
            where=scene_ids,
            expected="reflectance from -0.0999 to 6.4535 (prepare.storage: sentinel2)",
            found=f"{clipped} of {values} values outside",
            fix="correct scale and offset in ingest.raster.scenes (Sentinel-2 L2A DN: scale 0.0001)",
        )
