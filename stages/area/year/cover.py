"""Separate clean from debris-covered ice within a year's mapped glacier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.area import contract
from stages.area.site import AreaSite
from stages.common.geo.planes import Bits
from stages.common.geo.raster import open_raster, pixels_with_data, refuse_unreadable
from stages.common.geo.rows import strips
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.scene.harmonise import Calibration, to_physical
from stages.common.tables.data import AuxiliaryManifest
from stages.common.types import BoolArray, Float32Array

BY_OUTLINES = "debris outlines as given, the same every year"


@dataclass(frozen=True, kw_only=True)
class IceCover:
    """Surface of a year's ice: clean, or covered by debris."""

    clean: Bits | None
    """(H, W): free of debris, meaningful on ice only; None where clean and debris-covered ice cannot be told apart."""
    method: str
    """How the two were told apart, or why they cannot be."""

    def debris_of(self, ice: Bits, rows: slice = slice(None)) -> BoolArray:
        """Return the (h, W) ice of these rows under debris; no pixel where the two cannot be told apart."""
        return np.zeros_like(ice[rows]) if self.clean is None else np.asarray(ice[rows] & ~self.clean[rows])


def ice_cover(run: Run, site: AreaSite, year: int, *, ice: Bits, observed: Bits) -> IceCover:
    """Separate clean from debris-covered ice by the band ratio, else by the site's debris outlines.

    Fresh snow lies on debris and ground alike: where it covers too much of the ground off the glaciers, the ratio says
    nothing about what is below.

    Parameters
    ----------
    ice, observed
        (H, W): mapped ice and observed pixels, both within the AOI.
    """
    params = run.params.area.surface
    why_not = f"not available: {RED} and {SWIR} are not among the bands, and no debris outlines are given"
    scene_path = run.by_year(contract.SCENE)[year]
    with open_raster(scene_path) as scene, refuse_unreadable(scene_path):
        if {RED, SWIR} <= set(scene.descriptions):
            clean = clean_pixels(scene, ratio_min=params.clean_ratio_min)
            snow = _fraction(clean, observed & ~ice & ~site.prior)
            if snow <= params.off_glacier_snow_max:
                return IceCover(clean=clean, method=f"{RED} / {SWIR} of at least {params.clean_ratio_min:g}")
            why_not = f"not available: snow on {100 * snow:.0f} % of the ground off the glaciers hides debris too"
    debris = _debris_outlines(run, site)
    return IceCover(clean=None, method=why_not) if debris is None else IceCover(clean=~debris, method=BY_OUTLINES)


def clean_pixels(scene: DatasetReader, *, ratio_min: float) -> Bits:
    """Return the (H, W) pixels that pass the band ratio, worked in strips."""
    clean = Bits((scene.height, scene.width))
    for rows in strips(scene.height):
        red, swir = _reflectance(scene, RED, rows), _reflectance(scene, SWIR, rows)
        clean[rows] = is_clean(red, swir, ratio_min=ratio_min)
    return clean


def _reflectance(scene: DatasetReader, band: str, rows: slice) -> Float32Array:
    number = scene.descriptions.index(band) + 1
    dn = scene.read(number, window=Window(0, rows.start, scene.width, rows.stop - rows.start))
    calibration = Calibration(scale=scene.scales[number - 1], offset=scene.offsets[number - 1])
    return to_physical(dn, pixels_with_data(dn, scene.nodata), calibration)


def _fraction(part: Bits, whole: Bits) -> float:
    """Return which fraction of the pixels of `whole` lies in `part`; 0 where `whole` has none."""
    count = whole.sum()
    return (part & whole).sum() / count if count else 0.0


def _debris_outlines(run: Run, site: AreaSite) -> Bits | None:
    if read_document(run.path(contract.AUXILIARY), AuxiliaryManifest).debris is None:
        return None
    polygons = read_polygons(run.path(contract.DEBRIS), site.grid.crs).geometry
    return Bits.of(pixels_inside(polygons, site.grid))
