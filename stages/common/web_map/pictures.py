"""Rasters as WebP pictures of the map, in so many bytes whatever the site's size."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from stages.common.display import colours
from stages.common.drawing.maps import MapSize, hatch
from stages.common.geo.grid import Grid
from stages.common.machine import usable_cores
from stages.common.types import UInt8Array
from stages.common.web_map import scenes
from stages.common.web_map.scenes import YearFiles

SCENES_PIXELS_MAX = 24_000_000
"""Pixels of the natural colour of all years together; nine years of 16 x 16 km at 10 m are 23 million."""
NATURAL_BYTES_MAX, FALSE_BYTES_MAX = 3_000_000, 900_000
"""Bytes of all years together, before base64 makes them a third longer."""
QUALITIES = (80, 70, 60, 45, 30, 15, 5)
"""Qualities of WebP that are tried on the middle year, the first that fits is taken; the last in any case."""
COARSER = 2
"""How much larger the pixels of false colour and probability are than those of natural colour."""
CHANGE_OPACITY = 0.9


def scene_pictures(
    files: Mapping[int, YearFiles], bands: Mapping[int, Sequence[str]], grid: Grid
) -> dict[str, dict[int, str]]:
    """Return data URIs by kind and year: ``natural``, ``false`` and ``unseen``, what a year did not observe.

    `bands` names the bands of each year's scene. Where any year lacks those of the false colour, it has no years.
    """
    size, coarse = map_size(grid, len(files)), map_size(grid, len(files), coarser=COARSER)
    return {
        "natural": uris(_colour(files, size, NATURAL_BYTES_MAX)),
        "false": uris(_colour(_false_colour(files, bands), coarse, FALSE_BYTES_MAX)),
        "unseen": uris(encode_all({year: _unseen(each, coarse) for year, each in files.items()}, quality=None)),
    }


def uris(pictures: Mapping[int, bytes]) -> dict[int, str]:
    """Return WebP pictures as data URIs."""
    return {year: f"data:image/webp;base64,{b64encode(content).decode('ascii')}" for year, content in pictures.items()}


def class_picture(classes: UInt8Array, shown: Mapping[int, colours.RGB], *, opacity: float) -> UInt8Array:
    """Return `shown` classes of (h, w) in their colours as a picture (h, w, 4); clear elsewhere."""
    picture = np.zeros((*classes.shape, 4), dtype=np.uint8)
    for value, colour in shown.items():
        picture[classes == value] = (*colour, round(255 * opacity))
    return picture


def map_size(grid: Grid, n_years: int, *, coarser: int = 1) -> MapSize:
    """Return the size of pictures: the grid's own, or smaller where all years would have too many pixels."""
    share = min(1.0, math.sqrt(SCENES_PIXELS_MAX / (grid.width * grid.height * n_years))) / coarser
    width, height = (max(1, round(side * share)) for side in (grid.width, grid.height))
    return MapSize(width=width, height=height, pixel_size_m=grid.pixel_size_m * grid.width / width)


def within_bytes(pictures: Mapping[int, UInt8Array], bytes_max: int) -> dict[int, bytes]:
    """Encode pictures (h, w, 3 or 4), all in the best quality in which the middle year has at most its share."""
    if not pictures:
        return {}
    middle = list(pictures)[len(pictures) // 2]
    share = bytes_max / len(pictures)
    for quality in QUALITIES:
        encoded = encode(pictures[middle], quality=quality)
        if len(encoded) <= share:
            break
    others = encode_all({year: picture for year, picture in pictures.items() if year != middle}, quality=quality)
    return {year: encoded if year == middle else others[year] for year in pictures}


def encode_all(pictures: Mapping[int, UInt8Array], *, quality: int | None) -> dict[int, bytes]:
    """Encode pictures as `encode` does, on all cores."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        return dict(zip(pictures, pool.map(partial(encode, quality=quality), pictures.values()), strict=True))


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
    scene_colours, stretch = scenes.read_colours(files, size)
    return within_bytes({year: colour.with_clouds(stretch) for year, colour in scene_colours.items()}, bytes_max)


def _false_colour(files: Mapping[int, YearFiles], bands: Mapping[int, Sequence[str]]) -> dict[int, YearFiles]:
    """Return the files of each year with the bands of the false colour; none where any year lacks them."""
    chosen = {year: scenes.false_colour_bands(bands[year]) for year in files}
    shown = {year: positions[:3] for year, positions in chosen.items() if positions is not None}
    if set(shown) != set(files):
        return {}
    return {year: replace(files[year], bands=(red, green, blue)) for year, (red, green, blue) in shown.items()}


def _unseen(files: YearFiles, size: MapSize) -> UInt8Array:
    """Return grey diagonals (h, w, 4) where a year was not observed; clear elsewhere."""
    hidden = scenes.read_resized(files.valid, size)[0] == 0
    hatched = hatch(np.zeros((*hidden.shape, 3), dtype=np.uint8), hidden)
    return np.dstack([hatched, np.where(hidden, 255, 0).astype(np.uint8)])
