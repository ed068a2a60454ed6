"""What the map of a comparison shows: scenes, both versions' outlines and areas, and where their maps differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.common.display import colours
from stages.common.display.phrases import NEAR_NO_OUTLINE
from stages.common.display.rounding import decimals_of
from stages.common.drawing.maps import MapSize
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_grid
from stages.common.geo.vectors import read_features, read_polygons
from stages.common.params.schema import Params
from stages.common.run.records import read_document
from stages.common.tables.area import AreaSeries, GlacierAreaRow
from stages.common.tables.labels import UNASSIGNED
from stages.common.tables.prepare import Provenance
from stages.common.types import UInt8Array
from stages.common.web_map import shapes
from stages.common.web_map.document import attribution, ground_of
from stages.common.web_map.pictures import CHANGE_OPACITY, class_picture, encode, map_size, scene_pictures, uris
from stages.common.web_map.scenes import YearFiles, colour_bands
from stages.common.web_map.series import Series, area_point, axis_of, by_glacier, digits_of, widest_ends
from versions.compare.difference import ONLY_A, ONLY_B, read_series
from versions.compare.mapping import MappedVersion
from versions.compare.pictures import SIDE_A, SIDE_B, shrink
from versions.compare.workspace import GLACIER_ID

OLD_OUTLINES = "data/outlines.gpkg"
COLOURS = {
    "a": SIDE_A, "b": SIDE_B, "old": colours.REFERENCE, "unseen": colours.GREY_DARK,
}  # fmt: skip

Both = tuple[MappedVersion, MappedVersion]


def map_document(site: Path, params: Params, both: Both, maps: Sequence[UInt8Array]) -> dict[str, Any]:
    """Return all that the map shows.

    Parameters
    ----------
    site
        Folder of the site as it stands: its scenes are shown, which both versions map.
    maps
        For each year of `params`: `versions.compare.difference.difference_classes` (H, W).
    """
    grid = read_grid(site / GLACIER_ID)
    folders = {year: site / f"artifacts/prepare/{year}" for year in params.years}
    provenance = {year: read_document(folder / "provenance.json", Provenance) for year, folder in folders.items()}
    a, b = (read_series(version.areas) for version in both)
    differences = dict(zip(params.years, maps, strict=True))
    bands = {year: each.bands for year, each in provenance.items()}
    return {
        "years": params.years,
        "dates": {row.year: row.date for row in a.years},
        **ground_of(grid),
        "colours": {name: colours.hexadecimal(colour) for name, colour in COLOURS.items()},
        "attribution": attribution(provenance, simulated=params.site.simulated),
        "simulated": params.site.simulated,
        "pictures": {
            **scene_pictures(_files(folders, provenance, both[0], params), bands, grid),
            **_differences(differences, map_size(grid, len(params.years))),
        },
        "sides": _sides(a, b),
        "glaciers": _glaciers(a, b),
        **_outlines(site, params.years, both, grid),
    }


def _files(
    folders: Mapping[int, Path], provenance: Mapping[int, Provenance], mapped: MappedVersion, params: Params
) -> dict[int, YearFiles]:
    return {
        year: YearFiles(
            scene=folder / "scene.tif",
            valid=folder / "valid.tif",
            mask=mapped.mask(year),
            probability=mapped.mask(year).with_name("probability.tif"),
            bands=colour_bands(provenance[year].bands, params.report.rgb, where=folder / "scene.tif"),
            storage=provenance[year].storage,
        )
        for year, folder in folders.items()
    }


def _differences(maps: Mapping[int, UInt8Array], size: MapSize) -> dict[str, dict[int, str]]:
    """Return pictures of the ice that A alone and that B alone maps, by year."""
    small = {year: shrink(classes, size) for year, classes in maps.items()}
    return {
        name: uris({
            year: encode(class_picture(classes, {kind: colour}, opacity=CHANGE_OPACITY), quality=None)
            for year, classes in small.items()
        })
        for name, kind, colour in (("onlyA", ONLY_A, SIDE_A), ("onlyB", ONLY_B, SIDE_B))
    }  # fmt: skip


def _sides(a: AreaSeries, b: AreaSeries) -> dict[str, Series]:
    """Return the areas of the site for A and for B, on one axis."""
    rows = [*a.years, *b.years]
    axis = axis_of([(row.glacier_area_km2, widest_ends(row)) for row in rows], floor=0.0)
    digits = decimals_of(rows)
    return {
        side: {"digits": digits, "points": [area_point(row) for row in series.years], "axis": axis}
        for side, series in (("a", a), ("b", b))
    }


def _glaciers(a: AreaSeries, b: AreaSeries) -> list[Series]:
    """Return each glacier with its areas for A and for B, the largest of the last year first."""
    rows_a, rows_b = by_glacier(a.glaciers), by_glacier(b.glaciers)
    return [_glacier(each, rows_a[each], rows_b[each]) for each in rows_b if each in rows_a]


def _glacier(rgi_id: str, a: Sequence[GlacierAreaRow], b: Sequence[GlacierAreaRow]) -> Series:
    axis = axis_of([(row.area_km2, widest_ends(row)) for row in (*a, *b)], floor=0.0)
    name = NEAR_NO_OUTLINE if rgi_id == UNASSIGNED else b[-1].glac_name
    sides = {
        side: {"digits": digits_of([*a, *b]), "points": [area_point(row) for row in rows], "axis": axis}
        for side, rows in (("a", a), ("b", b))
    }
    return {"id": rgi_id, "name": name, **sides}


def _outlines(site: Path, years: Sequence[int], both: Both, grid: Grid) -> dict[str, Any]:
    """Return the outlines of each year for A and for B, and the old ones, all equally simplified."""
    a, b = (
        {year: read_features(version.areas / f"outlines_{year}.gpkg").to_crs(grid.crs) for year in years}
        for version in both
    )
    old = read_polygons(site / OLD_OUTLINES, grid.crs)
    tolerance = shapes.tolerance_of(
        [geometry for frame in (*a.values(), *b.values(), old) for geometry in frame.geometry]
    )

    return {
        "tolerance": tolerance,
        "outlinesA": {year: shapes.outlines(frame, grid, tolerance) for year, frame in a.items()},
        "outlines": {year: shapes.outlines(frame, grid, tolerance) for year, frame in b.items()},
        "old": shapes.outlines(old, grid, tolerance),
    }
