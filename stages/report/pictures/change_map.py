"""change_map.png: ground that ice lost or gained between the first and the last year that are not left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.common.display import colours, phrases
from stages.common.drawing import maps
from stages.common.drawing.maps import MapSize
from stages.common.geo.raster import read_grid
from stages.common.tables.kinds import MASK_NODATA
from stages.common.types import UInt8Array
from stages.common.web_map import scenes
from stages.report.findings import Findings
from stages.report.ground_changes import change_total
from stages.report.pictures.canvas import Canvas
from stages.report.pictures.map_marks import BANNER_PX, PAD_PX, draw_banner, draw_scale_bar

EDGE_PX, MIN_WIDTH_PX = 1120, 640
HEAD_PX, FOOT_PX = 52, 84
NO_ICE, SAME, LOST, GAINED = 0, 1, 2, 3
"""Values of the raster, as `stages.common.tables.kinds.CHANGE_MAP` defines them."""
COLOURS = {NO_ICE: colours.GROUND, SAME: colours.UNCHANGED, LOST: colours.LOST, GAINED: colours.GAINED}


def draw_change_map(findings: Findings, path: Path) -> bytes:
    """Draw the map as PNG; every pixel of the picture is one of the raster's, none is averaged."""
    map_size = maps.fit_map(read_grid(path), max_width=EDGE_PX, max_height=EDGE_PX)
    picture = change_picture(scenes.read_resized(path, map_size)[0])
    top = (BANNER_PX if findings.site.simulated else 0) + HEAD_PX
    width = max(MIN_WIDTH_PX, map_size.width)
    canvas = Canvas(width, top + map_size.height + FOOT_PX)
    if findings.site.simulated:
        draw_banner(canvas)
    title = f"{findings.site.title}: ground lost and gained by ice{_years(findings)}, {phrases.IMAGES_ALONE}"
    canvas.draw_text((PAD_PX, top - HEAD_PX / 2), title, size=17, anchor="lm", bold=True, room=width - 2 * PAD_PX)
    canvas.paste(picture, ((width - map_size.width) // 2, top))
    _draw_legend(canvas, findings, map_size, top=top + map_size.height)
    return canvas.png()


def change_picture(change: UInt8Array) -> UInt8Array:
    """Colour (h, w) classes as an (h, w, 3) picture; pixels that are unseen in one of the two years are hatched."""
    picture = np.full((*change.shape, 3), colours.GROUND, dtype=np.uint8)
    for value, colour in COLOURS.items():
        picture[change == value] = colour
    return maps.hatch(picture, change == MASK_NODATA)


def _years(findings: Findings) -> str:
    rows = findings.statistics.last_changes
    return f", {rows[0].from_year} to {rows[0].year}" if rows else ""


def _draw_legend(canvas: Canvas, findings: Findings, map_size: MapSize, *, top: int) -> None:
    total = change_total(findings.statistics.last_changes)
    entries = [
        ("lost", colours.LOST, total and total.lost),
        ("gained", colours.GAINED, total and total.gained),
        ("unchanged", colours.UNCHANGED, total and total.unchanged),
    ]
    x = float(PAD_PX)
    for label, colour, area in entries:
        canvas.fill_box((x, top + 14, x + 22, top + 28), colour)
        text = f"{label} {area.text} km²" if area else label
        x = canvas.draw_text((x + 29, top + 21), text, size=14, anchor="lm") + 22
    canvas.hatch_box((round(x), top + 14, round(x) + 22, top + 28))
    canvas.draw_text((x + 29, top + 21), "unseen in either year", size=14, anchor="lm")
    draw_scale_bar(canvas, map_size, top=top + 58)
