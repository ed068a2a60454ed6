"""The truth of the twin: ice and debris of each year on the site's grid, their areas, and the glaciers' lengths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stages.common.display import colours
from stages.common.drawing.qgis_style import class_style, style_document
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import write_cog
from stages.common.params.ingest import TwinParams
from stages.common.run.outputs import write_json
from stages.common.tables.truth import TrueGlacier, TrueYear, Truth
from stages.common.types import BoolArray, UInt8Array
from stages.ingest.sources.twin import change
from stages.ingest.sources.twin.inventory import rgi_id
from stages.ingest.sources.twin.landscape import Landscape

CLEAN, DEBRIS = 1, 2
"""Values of surface.tif; 0 means no glacier."""
SURFACE_CLASSES = (
    (0, "no glacier", colours.GROUND, 1.0),
    (CLEAN, "clean ice", colours.CLEAN, 1.0),
    (DEBRIS, "debris-covered ice", colours.DEBRIS, 1.0),
)
"""How QGIS names and draws them. Without a style it shows a file of several bands and small values as black."""

AREA_DECIMALS, LENGTH_DECIMALS = 6, 1


def write_truth_files(
    folder: Path, world: Landscape, params: TwinParams, years: list[int], *, crop: tuple[slice, slice], grid: Grid,
    aoi: BoolArray,
) -> None:  # fmt: skip
    """Write surface.tif (one band per year), its style for QGIS, and truth.json.

    Parameters
    ----------
    crop
        Rows and columns of the site in the world.
    grid
        Grid of the site.
    aoi
        (H, W) on `grid`: pixels whose area is counted.
    """
    folder.mkdir()
    area_km2 = pixel_area_km2(grid) * aoi
    true_years, bands = [], []
    for year in years:
        ice = change.ice_of(world, params, year)
        surface: UInt8Array = (ice.mask.astype("uint8") + ice.debris_mask)[crop]
        bands.append(surface)
        glaciers = [
            TrueGlacier(
                rgi_id=rgi_id(world, glacier.index),
                area_km2=_sum(area_km2, (surface > 0) & (world.glacier[crop] == glacier.index)),
                length_m=round(change.length_m(glacier, world.glaciers[0], params, year), LENGTH_DECIMALS),
            )
            for glacier in world.glaciers
        ]
        true_years.append(
            TrueYear(
                year=year,
                glacier_area_km2=_sum(area_km2, surface > 0),
                debris_area_km2=_sum(area_km2, surface == DEBRIS),
                glaciers=[glacier for glacier in glaciers if glacier.area_km2 > 0],
            )
        )
    write_surface(folder, bands, grid, years)
    write_json(folder / "truth.json", Truth(simulated=True, years=true_years))


def write_surface(folder: Path, bands: Sequence[UInt8Array], grid: Grid, years: Sequence[int]) -> None:
    """Write surface.tif, and beside it the style with which QGIS opens it, at the last year; DVC ignores that file.

    A GeoTIFF of several bands cannot hold a colour table.
    """
    write_cog(folder / "surface.tif", np.stack(bands), grid, nodata=None, bands=[str(year) for year in years])
    style = style_document(class_style(SURFACE_CLASSES, band=len(years)))
    (folder / "surface.qml").write_text(style, encoding="utf-8")


def _sum(area_km2: object, where: BoolArray) -> float:
    return round(float(np.asarray(area_km2)[where].sum()), AREA_DECIMALS)
