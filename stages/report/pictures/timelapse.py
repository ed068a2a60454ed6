"""glacier_retreat_timelapse.gif: one frame per year, all with the same palette."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from stages.common.display import colours, phrases
from stages.common.display.rounding import area_text, decimals_of, unseen_text
from stages.common.drawing import maps
from stages.common.drawing.maps import MapSize
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_grid
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import BoolArray, UInt8Array
from stages.common.web_map import scenes
from stages.common.web_map.scenes import YearFiles
from stages.report.findings import Findings
from stages.report.pictures.canvas import Canvas
from stages.report.pictures.map_marks import BANNER_PX, PAD_PX, draw_banner, draw_scale_bar
from stages.report.pictures.palette import indexed_images, joint_palette

MIN_WIDTH_PX, MAX_WIDTH_PX = 520, 860
"""Bounds of a frame's width; the text needs the lower one."""
MAX_HEIGHT_PX = 860
TOTAL_PX = 4_500_000
"""Pixels of all frames together, which keeps the file at three to four megabytes."""
COLOURS = 96
"""Colours of the palette: a scene with outlines looks the same as with 256, and the file is a quarter smaller."""

HEAD_PX, FOOT_PX = 66, 76

SPECK_PX = 3
"""Side in pixels of the smallest hole of an outline that is drawn."""

OWN_COLOURS = (
    colours.BLACK, colours.WHITE, colours.INK, colours.MUTED, colours.THIS_YEAR, colours.REFERENCE, colours.VERMILLION,
    colours.GREY_DARK, colours.GREY_LIGHT,
)  # fmt: skip
"""Colours with a meaning, which the palette keeps exactly."""


def draw_timelapse(findings: Findings, outlines: Any) -> bytes:
    """Draw the time-lapse as an endless GIF.

    Parameters
    ----------
    outlines
        GeoDataFrame of the mapped outlines in the grid's CRS, with their `year`: those that the areas are of.
    """
    map_size = frame_map_size(findings)
    scene_colours, stretch = scenes.read_colours(findings.files, map_size)
    grid = read_grid(findings.glacier_id)
    lines = {
        year: mapped_outline(outlines.geometry[outlines["year"] == year], findings.files[year], grid, map_size)
        for year in findings.years
    }
    first_outline = scenes.thicken(lines[findings.years[0]])
    reference = [(first_outline, colours.REFERENCE)] if len(findings.years) > 1 else []
    frames = []
    for row in findings.areas:
        picture = scene_colours[row.year].natural(stretch)
        picture = scenes.draw_outlines(picture, [*reference, (lines[row.year], colours.THIS_YEAR)])
        frames.append(compose_frame(findings, row.year, picture, map_size))
    return encode_gif(frames, seconds=findings.report.frame_seconds)


def mapped_outline(polygons: Iterable[Any], files: YearFiles, grid: Grid, map_size: MapSize) -> BoolArray:
    """Return the pixels (h, w) of a year's outlines, `polygons` in the grid's CRS, grown by a pixel."""
    from rasterio.features import rasterize

    shape = map_size.height, map_size.width
    transform = grid.transform * grid.transform.scale(grid.width / map_size.width, grid.height / map_size.height)
    drawn = [(polygon, 1) for polygon in _without_specks(polygons, (SPECK_PX * map_size.pixel_size_m) ** 2)]
    ice = rasterize(drawn, out_shape=shape, transform=transform, dtype="uint8") if drawn else np.zeros(shape, np.uint8)
    unseen = scenes.thicken(scenes.read_mask(files, map_size) == MASK_NODATA)  # holes are shifted by up to a pixel
    return scenes.thicken(maps.outline_pixels(np.where(unseen & (ice == 0), MASK_NODATA, ice)))


def _without_specks(polygons: Iterable[Any], least_m2: float) -> list[Any]:
    """Return the parts of polygons, their holes below an area filled: single unseen pixels would look like ground."""
    import shapely

    parts = shapely.get_parts(np.array(list(polygons), dtype=object))
    return [
        shapely.Polygon(part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area >= least_m2])
        for part in parts
        if not part.is_empty
    ]


def frame_map_size(findings: Findings) -> MapSize:
    """Return the size of the scene in a frame: within bounds of width, height, and the pixels of all frames."""
    grid = read_grid(findings.glacier_id)
    wide = math.sqrt(TOTAL_PX / len(findings.years) * grid.width / grid.height)
    width = round(min(MAX_WIDTH_PX, max(MIN_WIDTH_PX, wide)))
    return maps.fit_map(grid, max_width=width, max_height=MAX_HEIGHT_PX)


def compose_frame(findings: Findings, year: int, picture: UInt8Array, map_size: MapSize) -> UInt8Array:
    """Compose a frame, (H, W, 3): the picture between a headline and a legend."""
    banner = BANNER_PX if findings.site.simulated else 0
    width = max(MIN_WIDTH_PX, map_size.width)
    canvas = Canvas(width, banner + HEAD_PX + map_size.height + FOOT_PX)
    if banner:
        draw_banner(canvas)
    _draw_headline(canvas, findings, year, top=banner)
    canvas.paste(picture, ((width - map_size.width) // 2, banner + HEAD_PX))
    _draw_legend(canvas, findings, year, map_size, top=banner + HEAD_PX + map_size.height)
    return canvas.pixels()


def encode_gif(frames: Sequence[UInt8Array], *, seconds: float) -> bytes:
    """Encode frames (H, W, 3) as an endless GIF89a with one palette, each frame visible for `seconds`."""
    palette = joint_palette(frames, own=OWN_COLOURS, colours=COLOURS)
    images = indexed_images(frames, palette)
    stream = io.BytesIO()
    images[0].save(
        stream, format="GIF", save_all=True, append_images=images[1:], duration=round(1000 * seconds), loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    return stream.getvalue()


def _draw_headline(canvas: Canvas, findings: Findings, year: int, *, top: int) -> None:
    row = findings.areas[findings.years.index(year)]
    decimals = decimals_of(findings.areas)
    right = canvas.width - PAD_PX
    canvas.draw_text((right, top + HEAD_PX / 2), str(year), size=38, anchor="rm", bold=True)
    room = canvas.width - 3 * PAD_PX - canvas.text_width(str(year), size=38, bold=True)
    canvas.draw_text((PAD_PX, top + 20), findings.site.title, size=17, anchor="lm", bold=True, room=room)
    note = unseen_text(row, decimals)
    line = f"{area_text(row, decimals)} ({phrases.SHORT_PRODUCTS[row.product]})" + (f", {note}" if note else "")
    canvas.draw_text((PAD_PX, top + 45), line, size=15, anchor="lm", room=room)


def _draw_legend(canvas: Canvas, findings: Findings, year: int, map_size: MapSize, *, top: int) -> None:
    first = findings.years[0]
    x = float(PAD_PX)
    entries = [(f"mapped outline {year}", colours.THIS_YEAR)]
    if len(findings.years) > 1:
        entries.append((f"mapped outline {first} (first year)", colours.REFERENCE))
    for label, colour in entries:
        canvas.fill_box((x, top + 14, x + 26, top + 22), colours.BLACK)
        canvas.fill_box((x + 1, top + 16, x + 25, top + 20), colour)
        x = canvas.draw_text((x + 32, top + 18), label, size=13, anchor="lm") + 20
    canvas.hatch_box((round(x), top + 11, round(x) + 22, top + 25))
    canvas.draw_text((x + 28, top + 18), "unseen", size=13, anchor="lm")
    draw_scale_bar(canvas, map_size, top=top + 52, note=phrases.INTERVAL)
