"""Names of a raster's bands: those that params.yaml lists against each other and against what the file says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rasterio.io import DatasetReader

from stages.common.errors import InputError, ParamsError
from stages.common.params.ingest import RasterSceneParams
from stages.common.scene.scene import CLOUD_MASK, SCL

WHERE = "ingest.raster.scenes"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""Names that a band may have: its name becomes the key of an asset and the name of a file."""

NUMBERED = re.compile(r"(?:SR[ _])?B(?:AND)?[ _-]?0*(\d{1,2}A?)")
"""B4, B04, Band 4, BAND_04, SR_B4."""

COLOURS = {
    "BLUE": "B02", "GREEN": "B03", "RED": "B04", "NIR": "B08", "NIR08": "B8A",
    "SWIR1": "B11", "SWIR16": "B11", "SWIR2": "B12", "SWIR22": "B12",
}  # fmt: skip
"""Common names, as catalogues and GIS programs write them."""


def check_band_names(scenes: Sequence[RasterSceneParams], required: Sequence[str]) -> None:
    """Refuse scenes that lack a band of `prepare`, or whose bands' names cannot be file names."""
    for scene in scenes:
        where = f"params.yaml: {WHERE}, {scene.path}"
        if unfit := [name for name in scene.bands if not NAME.fullmatch(name) or name in (CLOUD_MASK, SCL)]:
            raise ParamsError(
                "a band's name cannot be used",
                where=where,
                expected=f"letters, digits, '_', '-' and '.', and not {CLOUD_MASK} or {SCL}",
                found=unfit,
                fix="rename the band, here and in prepare.bands",
            )
        if missing := [name for name in required if name not in scene.bands]:
            raise ParamsError(
                "a scene lacks a band",
                where=where,
                expected=f"prepare.bands: {list(required)}",
                found=f"{scene.bands}, without {missing}",
                fix="name the file's bands as prepare.bands does, or take the band out of prepare.bands",
            )


def check_band_order(path: Path, dataset: DatasetReader, names: Sequence[str]) -> None:
    """Refuse a list that is not as long as the file's bands, or that has them in another order than the file says."""
    if dataset.count != len(names):
        raise InputError(
            "the raster's number of bands is not that of params.yaml",
            where=path,
            expected=f"{len(names)} bands: {list(names)}",
            found=f"{dataset.count} bands",
            fix="name every band of the file, in its order",
        )
    described = [text or "" for text in dataset.descriptions]
    if in_another_order(described, names):
        raise InputError(
            "the raster names the same bands in another order",
            where=path,
            expected=list(names),
            found=described,
            fix="list the bands in the file's order",
        )


def in_another_order(described: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether two lists name the same bands, however they are spelt, in another order.

    Names that are in one list alone are left aside; but where sensors number their bands unlike, no number tells: all
    bands that are known by number or colour must be the same.
    """
    file_bands, listed_bands = ([canonical(name) for name in bands] for bands in (described, names))
    if sorted(file_bands) == sorted(listed_bands):
        return file_bands != listed_bands
    file_bands, listed_bands = ([name for name in bands if is_canonical(name)] for bands in (file_bands, listed_bands))
    return sorted(file_bands) == sorted(listed_bands) and file_bands != listed_bands


def canonical(name: str) -> str:
    """Return a band's name as Sentinel-2 writes it, where it has such a name.

    >>> [canonical(name) for name in ("B4", "b04", "Band 8", "B8A", "SR_B2", "green", "swir16", "depth")]
    ['B04', 'B04', 'B08', 'B8A', 'B02', 'B03', 'B11', 'depth']
    """
    upper = name.strip().upper()
    if match := NUMBERED.fullmatch(upper):
        return f"B{match[1].zfill(2)}"
    return COLOURS.get(upper, name)


def is_canonical(name: str) -> bool:
    """Return whether a canonical name is one of Sentinel-2."""
    return re.fullmatch(r"B\d[\dA]", name) is not None
