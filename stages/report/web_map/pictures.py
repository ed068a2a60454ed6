"""Rasters as WebP pictures of the map, in so many bytes whatever the site's size."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from stages.common.display import colours
from stages.common.drawing.maps import MapSize, hatch
from stages.common.geo.grid import Grid
from stages.common.types import UInt8Array
from stages.report.findings import Findings, YearFiles
from stages.report.pictures import scenes
from stages.report.pictures.change_map import GAINED, LOST
from stages.report.qgis.layers import false_colour_bands

SCENES_PIXELS_MAX = 24_000_000
"""Pixels of the natural colour of all years together; nine years of 16 x 16 km at 10 m are 23 million."""
NATURAL_BYTES_MAX, FALSE_BYTES_MAX, PROBABILITY_BYTES_MAX = 3_000_000, 900_000, 500_000
"""Bytes of all years together, before base64 makes them a third longer."""
QUALITIES = (80, 70, 60, 45, 30, 15, 5)
"""Qualities of WebP that are tried on the middle year, the first that fits is taken; the last in any case."""
COARSER = 2
"""How much larger the pixels of false colour and probability are than those of natural colour."""
PROBABILITY_OPACITY = 0.8
CHANGE_OPACITY = 0.9


def map_pictures(findings: Findings, change_maps: Mapping[int, Path], grid: Grid) -> dict[str, dict[int, str]]:
    """Return data URIs by kind and year: ``natural``, ``false``, ``probability``, ``unseen`` and ``change``.

    A kind that the site lacks has no years.
    """
    size = map_size(grid, len(findings.years))
    coarse = map_size(grid, len(findings.years), coarser=COARSER)
    files = findings.files
    pictures = {
        "natural": _colour(files, size, NATURAL_BYTES_MAX),
        "false": _colour(_false_colour(findings), coarse, FALSE_BYTES_MAX),
        "probability": within_bytes(
            {year: _probability(files[year], coarse) for year in findings.years}, PROBABILITY_BYTES_MAX
        ),
        "unseen": {year: encode(_unseen(files[year], coarse), quality=None) for year in findings.years},
        "change": {year: encode(_change(path, size), quality=None) for year, path in change_maps.items()},
    }
    return {
        kind: {year: f"data:image/webp;base64,{b64encode(content).decode('ascii')}" for year, content in years.items()}
        for kind, years in pictures.items()
    }


def map_size(grid: Grid, n_years: int, *, coarser: int = 1) -> MapSize:
    """Return the size of pictures: the grid's own, or smaller where all years would have too many pixels."""
    share = min(1.0, math.sqrt(SCENES_PIXELS_MAX / (grid.width * grid.height * n_years))) / coarser
    width, height = (max(1, round(side * share)) for side in (grid.width, grid.height))
    return MapSize(width=width, height=height, pixel_size_m=grid.pixel_size_m * grid.width / width)


def within_bytes(pictures: Mapping[int, UInt8Array], bytes_max: int) -> dict[int, bytes]:
    """Encode pictures (h, w, 3 or 4), all in the best quality in which the middle year has at most its share."""
    if not pictures:
        return {}
    middle = list(pictures.values())[len(pictures) // 2]
    share = bytes_max / len(pictures)
    fitting = (quality for quality in QUALITIES if len(encode(middle, quality=quality)) <= share)
    quality = next(fitting, QUALITIES[-1])
    return {year: encode(picture, quality=quality) for year, picture in pictures.items()}


def encode(picture: UInt8Array, *, quality: int | None) -> bytes:
    """Encode a picture (h, w, 3 or 4) as WebP; without a quality exactly."""
    from PIL import Image

    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    if quality is None:
        image.save(stream, format="WEBP", lossless=True, quality=100, method=4)
    else:
        image.save(stream, format="WEBP", quality=quality, alpha_quality=quality, method=4)
    return stream.getvalue()


def _colour(files: Mapping[int, YearFiles], size: MapSize, bytes_max: int) -> dict[int, bytes]:
    if not files:
        return {}
    stretch = scenes.stretch_of(files.values(), size)
    return within_bytes({year: scenes.with_clouds(each, size, stretch) for year, each in files.items()}, bytes_max)


def _false_colour(findings: Findings) -> dict[int, YearFiles]:
    """Return the files of each year with the bands of the false colour; none where any year lacks them."""
    bands = {year: false_colour_bands(findings.provenance[year].bands) for year in findings.years}
    shown = {year: chosen[:3] for year, chosen in bands.items() if chosen is not None}
    if set(shown) != set(bands):
        return {}
    return {year: replace(findings.files[year], bands=(red, green, blue)) for year, (red, green, blue) in shown.items()}


def _probability(files: YearFiles, size: MapSize) -> UInt8Array:
    """Return a picture (h, w, 4) whose opacity grows with the probability; unseen pixels are clear."""
    probability = np.nan_to_num(scenes.read_resized_probability(files, size))
    alpha = np.round(255 * PROBABILITY_OPACITY * probability).astype(np.uint8)
    return _flat(alpha, colours.SKY)


def _unseen(files: YearFiles, size: MapSize) -> UInt8Array:
    """Return grey diagonals (h, w, 4) where a year was not observed; clear elsewhere."""
    hidden = scenes.read_resized(files.valid, size)[0] == 0
    hatched = hatch(np.zeros((*hidden.shape, 3), dtype=np.uint8), hidden)
    return np.dstack([hatched, np.where(hidden, 255, 0).astype(np.uint8)])


def _change(path: Path, size: MapSize) -> UInt8Array:
    """Return lost and gained ground (h, w, 4) in its colours; clear elsewhere."""
    change = scenes.read_resized(path, size)[0]
    picture = np.zeros((*change.shape, 4), dtype=np.uint8)
    for value, colour in ((LOST, colours.LOST), (GAINED, colours.GAINED)):
        picture[change == value] = (*colour, round(255 * CHANGE_OPACITY))
    return picture


def _flat(alpha: UInt8Array, colour: colours.RGB) -> UInt8Array:
    picture = np.empty((*alpha.shape, 4), dtype=np.uint8)
    picture[..., :3], picture[..., 3] = colour, alpha
    return picture
