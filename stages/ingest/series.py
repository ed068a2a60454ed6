"""Checks over the stored scenes: those of a year fit together, and all years are of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import rasterio.warp
from rasterio.enums import Resampling

from stages.common.errors import InputError
from stages.common.raster import known_pixels, open_raster
from stages.common.scenes import Band, Scene
from stages.common.types import AnyArray, BoolArray


def check_one_level(scenes: Sequence[Scene]) -> None:
    """Refuse a series of several processing levels: top-of-atmosphere and surface reflectance never mix."""
    levels = {scene.info.processing_level: scene.info for scene in scenes if scene.info.processing_level}
    if len(levels) > 1:
        found = ", ".join(f"{level} ({info.year}, {info.id})" for level, info in sorted(levels.items()))
        raise InputError(
            "the scenes are of different processing levels",
            where="data/scenes",
            expected="one level over the whole series",
            found=found,
            fix="get all scenes at one level, L2A for Sentinel-2",
        )


def check_year(scenes: Sequence[Scene], wanted: Sequence[str]) -> None:
    """Refuse scenes of one year that are stored differently, or show different things at one place."""
    for first, second in combinations(scenes, 2):
        _check_alike(first, second, wanted)
        _check_overlap(first, second, wanted)


def _check_alike(first: Scene, second: Scene, wanted: Sequence[str]) -> None:
    for name in wanted:
        one, other = _storage(first, name), _storage(second, name)
        if one != other:
            raise InputError(
                "two scenes of one year are stored differently",
                where=f"{second.info.year}, {second.info.id}, band {name}",
                expected=f"{_words(one)} (as {first.info.id})",
                found=_words(other),
                fix="convert one of them; scale and offset are in ingest.raster.scenes",
            )


def _storage(scene: Scene, name: str) -> dict[str, Any]:
    band = scene.bands[name]
    return {
        "dtype": band.dtype,
        "scale": band.scale,
        "offset": band.offset,
        "processing_level": scene.info.processing_level,
        "processing_baseline": scene.info.processing_baseline,
    }


def _words(storage: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in storage.items())


def _check_overlap(first: Scene, second: Scene, wanted: Sequence[str]) -> None:
    shared, unlike = 0, 0
    for name in wanted:
        both, differ = _compare(first.bands[name], second.bands[name])
        shared, unlike = max(shared, both), max(unlike, differ)
    same_day = first.info.day == second.info.day
    if shared == 0 or (same_day and unlike == 0):
        return
    days = " and ".join(str(scene.info.day or f"{scene.info.year}, day unknown") for scene in (first, second))
    problem = f"{unlike} of them with other values" if same_day else f"taken on {days}"
    raise InputError(
        "two scenes of one year overlap wrongly",
        where=f"{second.info.year}: {first.info.id} and {second.info.id}",
        expected="tiles that adjoin, or of one day and equal where they overlap",
        found=f"{shared} px are valid in both, {problem}",
        fix="keep one of them, or cut them so that they adjoin",
    )


def _compare(first: Band, second: Band) -> tuple[int, int]:
    """Numbers of pixels (of the first band's grid) valid in both, and of those with other values."""
    with open_raster(first.path) as one, open_raster(second.path) as other:
        values = one.read(1)
        warped, covered = _nearest(other, one, second.nodata)
    both = covered & known_pixels(values, first.nodata)
    return int(both.sum()), int((both & (values != warped)).sum())


def _nearest(source: Any, target: Any, nodata: float | None) -> tuple[AnyArray, BoolArray]:
    pixels = source.read(1)
    places = {
        "src_transform": source.transform, "src_crs": source.crs,
        "dst_transform": target.transform, "dst_crs": target.crs,
        "resampling": Resampling.nearest, "tolerance": 0.0,
    }  # fmt: skip
    warped = np.zeros(target.shape, dtype=pixels.dtype)
    known = np.zeros(target.shape, dtype="uint8")
    rasterio.warp.reproject(pixels, warped, **places)
    rasterio.warp.reproject(known_pixels(pixels, nodata).astype("uint8"), known, **places)
    return warped, known == 1
