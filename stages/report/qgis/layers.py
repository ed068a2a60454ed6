"""Which layers the QGIS project holds, from the top down, and how each is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.display import colours
from stages.common.drawing.maps import fit_map
from stages.common.drawing.qgis_style import class_style
from stages.common.geo.raster import open_raster, read_grid
from stages.common.geo.vectors import read_polygons
from stages.common.run.stage import Run
from stages.common.tables.kinds import MASK_NODATA
from stages.common.web_map.scenes import STRETCH_GAMMA, false_colour_bands, read_colours
from stages.report.findings import Findings
from stages.report.qgis import series, symbols
from stages.report.qgis.project import MapLayer, project_archive

SAMPLE_PX = 800
"""Longest side of the picture whose pixels decide how scenes are stretched."""

LABEL_CLASSES = (
    (0, "not glacier", colours.GROUND, 0.6),
    (1, "glacier", colours.SKY, 0.6),
    (255, "not used: near a boundary, hidden, or outside the AOI", colours.GREY_DARK, 0.6),
)
CHANGE_CLASSES = (
    (1, "glacier in both years", colours.UNCHANGED, 0.4),
    (2, "lost", colours.LOST, 1.0),
    (3, "gained", colours.GAINED, 1.0),
    (MASK_NODATA, "not observed in one of the two years", colours.GREY_LIGHT, 0.6),
)
VECTORS = (
    (series.FRONTS, "Fronts, images alone", symbols.line_symbol(colours.VERMILLION, width_mm=0.7), True),
    (series.FLOW_LINES, "Flow lines", symbols.line_symbol(colours.GREEN, width_mm=0.3, dashed=True), False),
    (series.OUTLINES, "Outlines of the year", symbols.outline_symbol(colours.THIS_YEAR, width_mm=0.4), True),
    (series.OLD_OUTLINES, "Old outlines", symbols.outline_symbol(colours.REFERENCE, width_mm=0.4), False),
    (series.UNSEEN, "Not observed", symbols.hatched_symbol(colours.GREY_DARK), True),
)
"""Layers of series.gpkg from the top down: layer, name in the project, style, and whether it has a date."""


def write_qgis(run: Run, findings: Findings, frames: Mapping[str, Any]) -> None:
    """Write series.gpkg, whose layers are `frames`, and glacier.qgz into the folder of the report."""
    styles = {name: style for name, _, style, _ in VECTORS}
    series.write_series(run.out / "series.gpkg", frames, styles)
    grid = read_grid(findings.glacier_id)
    left, bottom, right, top = read_polygons(run.path("data/aoi.gpkg"), grid.crs).total_bounds.tolist()
    archive = project_archive(
        findings.site.title, project_layers(run, findings), crs=grid.crs, bounds=(left, bottom, right, top),
        years=findings.years,
    )  # fmt: skip
    (run.out / "glacier.qgz").write_bytes(archive)


def project_layers(run: Run, findings: Findings) -> list[MapLayer]:
    """Return the layers of the project, from the top down."""
    vectors = [
        MapLayer(
            name=name, group="Glaciers", source=f"./series.gpkg|layername={layer}", style=style,
            geometry=series.GEOMETRY[layer], date_field="date" if dated else None,
        )
        for layer, name, style, dated in VECTORS
    ]  # fmt: skip
    return [*vectors, *_changes(run), *_probabilities(findings), *_scenes(run, findings), *_ground(run)]


def _changes(run: Run) -> list[MapLayer]:
    paths = {y: path for y, path in run.by_year("artifacts/area/change_{years}.tif").items() if path.exists()}
    return [
        MapLayer(
            name=f"Change {year}", group="Change since the first year, images alone", source=_relative(path),
            style=class_style(CHANGE_CLASSES), year=year, visible=False,
        )
        for year, path in paths.items()
    ]  # fmt: skip


def _probabilities(findings: Findings) -> list[MapLayer]:
    levels = [(0.0, colours.GROUND), (0.5, colours.SKY), (1.0, colours.BLUE)]
    entries = [(level, f"{level:.1f}", colour) for level, colour in levels]
    return [
        MapLayer(
            name=f"Probability {year}", group="Probability of ice, images alone",
            source=_relative(findings.files[year].probability),
            style=symbols.ramp(entries, opacity=0.7), year=year, visible=False,
        )
        for year in findings.years
    ]  # fmt: skip


def _scenes(run: Run, findings: Findings) -> list[MapLayer]:
    grid = read_grid(findings.glacier_id)
    _, stretch = read_colours(findings.files, fit_map(grid, max_width=SAMPLE_PX, max_height=SAMPLE_PX))
    low, high, gamma = (stretch.low, stretch.high, STRETCH_GAMMA) if stretch else (0.0, 255.0, 1.0)
    natural, false_colour = [], []
    for year in findings.years:
        files = findings.files[year]
        natural.append(
            MapLayer(
                name=f"Scene {year}", group="Scenes, natural colour", source=_relative(files.scene), year=year,
                style=symbols.colour_picture(files.bands, low=low, high=high, gamma=gamma),
            )
        )  # fmt: skip
        if bands := false_colour_bands(findings.provenance[year].bands):
            false_colour.append(
                MapLayer(
                    name=f"False colour {year}", group="Scenes, false colour", source=_relative(files.scene), year=year,
                    style=symbols.colour_picture(bands, low=low, high=high, gamma=gamma), visible=False,
                )
            )  # fmt: skip
    return [*false_colour, *natural]


def _ground(run: Run) -> list[MapLayer]:
    labels = MapLayer(
        name="Labels for training", group="Ground", source=_relative(run.path("artifacts/labels/glacier.tif")),
        style=class_style(LABEL_CLASSES), visible=False,
    )  # fmt: skip
    dem = run.path("data/auxiliary/dem.tif")
    if not dem.exists():
        return [labels]
    with open_raster(dem) as dataset:
        crs = dataset.crs.to_wkt()
    relief = MapLayer(name="Relief", group="Ground", source=_relative(dem), style=symbols.hillshade(), crs=crs)
    return [labels, relief]


def _relative(path: Path) -> str:
    """Return a path of the site as seen from artifacts/report."""
    return f"../../{path.as_posix()}"
