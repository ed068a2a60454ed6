"""The stage's verb: burn outlines into rasters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
from pyproj import Geod

from stages.common.errors import ContractError
from stages.common.geo.classes import DEBRIS, LABELS
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.planes import Bits
from stages.common.geo.raster import gdal_env, open_raster, refuse_unreadable, write_cog
from stages.common.geo.rows import strips
from stages.common.geo.vectors import pixels_inside, read_polygons, site_grid
from stages.common.run.outputs import write_table
from stages.common.run.stage import Run
from stages.common.tables import kinds
from stages.common.tables.labels import INVENTORY_YEAR, GlacierRow
from stages.common.types import UInt16Array
from stages.labels.age import ignore_bands_m, outline_age
from stages.labels.drawn import with_drawn_outlines
from stages.labels.rasterise import glacier_ids, label_raster, near_points
from stages.labels.terminus import Terminus, find_terminus

AGE_COLUMNS = ("age_years", "boundary_ignore_m", "terminus_ignore_m")
"""Columns of glaciers.csv that say how old an outline is, and what training ignores for it."""


def label(run: Run) -> None:
    """Write glacier.tif, held_out.tif, glacier_id.tif, glaciers.csv and, where debris outlines are given, debris.tif.

    glacier.tif teaches, held_out.tif judges: its boundary is labelled, as what is mapped there decides the area. Around
    a front neither is: the ground that a glacier left since its outline was drawn is no error of the model. Outlines
    that a person drew change these two where `labels.learn_from_review` is set, and never glacier_id.tif.
    """
    with gdal_env():
        _label(run)


def _label(run: Run) -> None:
    grid = site_grid(run.params.grid, run.path("data/aoi.gpkg"))
    aoi = Bits.of(pixels_inside(read_polygons(run.path("data/aoi.gpkg"), grid.crs).geometry, grid))
    outlines = read_polygons(run.path("data/outlines.gpkg"), grid.crs).sort_values("rgi_id", ignore_index=True)
    ids = _ids_within(aoi, outlines, grid)
    if not ids.any():
        raise ContractError(
            "no outline covers a pixel of the grid",
            where="data/outlines.gpkg",
            expected=f"an outline that covers a pixel centre of {grid}",
            found=f"{len(outlines)} outlines, none of which does",
            fix="check the AOI and the grid in params.yaml, and that the outlines are of this region",
        )
    _check_buried(outlines, ids, aoi, grid)
    termini = _termini(outlines, grid, run.path("data/auxiliary/dem.tif"))
    taught, taught_ids = outlines, ids
    if run.params.labels.learn_from_review:
        drawn, years = run.path("data/auxiliary/review.gpkg"), run.params.training_years
        taught = with_drawn_outlines(outlines, drawn, crs=grid.crs, training_years=years)
        taught_ids = _ids_within(aoi, taught, grid)
    ages = [outline_age(_text(date), run.params.training_years) for date in taught["src_date"]]
    bands = [ignore_bands_m(age, run.params.labels) for age in ages]
    unsure = Bits(grid.shape)
    for point, (_, radius_m) in zip(termini, bands, strict=True):
        unsure = unsure | near_points([point.xy] if point.xy else [], grid, radius_m)
    glacier = label_raster(
        taught_ids, aoi, unsure, ignore_px=[boundary_m / grid.pixel_size_m for boundary_m, _ in bands]
    )
    write_cog(run.out / "glacier.tif", glacier, grid, nodata=None, classes=LABELS)
    ignored_pct = 100 * sum(int((glacier[rows] == kinds.IGNORE).sum()) for rows in strips(len(glacier))) / glacier.size
    del glacier
    held_out = label_raster(taught_ids, aoi, unsure, ignore_px=[0.0] * len(bands))
    write_cog(run.out / "held_out.tif", held_out, grid, nodata=None, classes=LABELS)
    del held_out
    write_cog(run.out / "glacier_id.tif", ids, grid, nodata=None)
    rows = [
        row.model_copy(update={"age_years": age, "boundary_ignore_m": boundary_m, "terminus_ignore_m": terminus_m})
        for row, age, (boundary_m, terminus_m) in zip(_rows(outlines, ids, grid, termini), ages, bands, strict=True)
    ]
    write_table(run.out / "glaciers.csv", rows, GlacierRow)
    _write_debris(run, grid)
    _report(run, ids, rows, ignored_pct=ignored_pct)


def _ids_within(aoi: Bits, outlines: geopandas.GeoDataFrame, grid: Grid) -> UInt16Array:
    ids = glacier_ids(list(outlines.geometry), grid)
    for rows in strips(len(ids)):
        ids[rows][~aoi[rows]] = 0
    return ids


def _check_buried(outlines: geopandas.GeoDataFrame, ids: UInt16Array, aoi: Bits, grid: Grid) -> None:
    """Refuse outlines all of whose pixels lie under other outlines: their glaciers would have 0 km2."""
    seen = {number for rows in strips(len(ids)) for number in np.unique(ids[rows]).tolist()}
    for index in sorted(set(range(1, len(outlines) + 1)) - seen):
        alone = pixels_inside([outlines.geometry.iloc[index - 1]], grid) & aoi[:]
        if alone.any():
            others = [str(outlines.rgi_id.iloc[number - 1]) for number in np.unique(ids[alone])]
            raise ContractError(
                "an outline lies under others, so that nothing is left of its glacier",
                where=f"data/outlines.gpkg, {outlines.rgi_id.iloc[index - 1]}",
                expected="a pixel that belongs to no other outline",
                found=f"{int(alone.sum())} px, all of them under {', '.join(others[:5])}",
                fix="remove the copy of a glacier that has two ids, draw neighbours so that they adjoin; `make ingest`",
            )


def _write_debris(run: Run, grid: Grid) -> None:
    outlines = run.path("data/auxiliary/debris.gpkg")
    if outlines.exists():
        debris = pixels_inside(read_polygons(outlines, grid.crs).geometry, grid)
        write_cog(run.out / "debris.tif", debris.astype(np.uint8), grid, nodata=None, classes=DEBRIS)


def _termini(outlines: geopandas.GeoDataFrame, grid: Grid, dem: Path) -> list[Terminus]:
    if not dem.exists():
        return [find_terminus(outline, grid.crs, dem=None) for outline in outlines.itertuples()]
    with open_raster(dem) as dataset, refuse_unreadable(dem):
        return [find_terminus(outline, grid.crs, dem=dataset) for outline in outlines.itertuples()]


def _rows(
    outlines: geopandas.GeoDataFrame, ids: UInt16Array, grid: Grid, termini: Sequence[Terminus]
) -> list[GlacierRow]:
    areas_km2 = np.zeros(len(outlines) + 1)
    for part in strips(len(ids)):
        covered = ids[part] > 0
        np.add.at(areas_km2, ids[part][covered], pixel_area_km2(grid, part)[covered])
    geod = Geod(ellps="WGS84")
    geographic = outlines.geometry.to_crs("EPSG:4326")
    return [
        GlacierRow(
            glacier_index=index,
            rgi_id=outline.rgi_id,
            glac_name=_text(outline.glac_name),
            outline_area_km2=round(float(areas_km2[index]), 6),
            geodesic_area_km2=round(abs(geod.geometry_area_perimeter(shape)[0]) / 1e6, 6),
            src_date=_text(outline.src_date),
            terminus=terminus.origin,
        )
        for index, (outline, shape, terminus) in enumerate(
            zip(outlines.itertuples(), geographic, termini, strict=True), start=1
        )
    ]


def _text(value: Any) -> str | None:
    return None if pandas.isna(value) else str(value)


def _report(run: Run, ids: UInt16Array, rows: Sequence[GlacierRow], *, ignored_pct: float) -> None:
    run.log.info(
        "%d glaciers; %.1f %% of the pixels are glacier, %.1f %% ignored",
        len(rows), 100 * np.count_nonzero(ids) / ids.size, ignored_pct,
    )  # fmt: skip
    run.log.info(
        "outlines are %s years from the training scenes; training ignores %s m at boundaries and %s m at fronts",
        *(_span([getattr(row, name) or 0.0 for row in rows]) for name in AGE_COLUMNS),
    )
    undated = sum(row.src_date is None for row in rows)
    if undated:
        run.log.warning("%d outlines have no date: they are taken to be of %d", undated, INVENTORY_YEAR)
    unknown = sum(row.terminus == "unknown" and (row.terminus_ignore_m or 0) > 0 for row in rows)
    if unknown:
        run.log.warning(
            "%d glaciers have neither a terminus point nor a DEM to find it: the band at their front is not wider",
            unknown,
        )


def _span(values: Sequence[float]) -> str:
    return " to ".join(dict.fromkeys(f"{value:g}" for value in (min(values), max(values))))
