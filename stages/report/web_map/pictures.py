"""Rasters of the report as pictures of the map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stages.common.display import colours
from stages.common.drawing.maps import MapSize
from stages.common.geo.grid import Grid
from stages.common.types import UInt8Array
from stages.common.web_map import scenes
from stages.common.web_map.pictures import (
    CHANGE_OPACITY,
    COARSER,
    class_picture,
    encode_all,
    map_size,
    scene_pictures,
    uris,
    within_bytes,
)
from stages.common.web_map.scenes import YearFiles
from stages.report.findings import Findings
from stages.report.pictures.change_map import GAINED, LOST

PROBABILITY_BYTES_MAX = 500_000
"""Bytes of all years together, before base64 makes them a third longer."""
PROBABILITY_OPACITY = 0.8


def map_pictures(findings: Findings, change_maps: Mapping[int, Path], grid: Grid) -> dict[str, dict[int, str]]:
    """Return data URIs by kind and year: ``natural``, ``false``, ``probability``, ``unseen`` and ``change``.

    A kind that the site lacks has no years.
    """
    size, coarse = (map_size(grid, len(findings.years), coarser=coarser) for coarser in (1, COARSER))
    bands = {year: provenance.bands for year, provenance in findings.provenance.items()}
    drawn = scene_pictures(findings.files, bands, grid)
    probabilities = {year: _probability(findings.files[year], coarse) for year in findings.years}
    changes = encode_all({year: _change(path, size) for year, path in change_maps.items()}, quality=None)
    return {
        "natural": drawn["natural"],
        "false": drawn["false"],
        "probability": uris(within_bytes(probabilities, PROBABILITY_BYTES_MAX)),
        "unseen": drawn["unseen"],
        "change": uris(changes),
    }


def _probability(files: YearFiles, size: MapSize) -> UInt8Array:
    """Return a picture (h, w, 4) whose opacity grows with the probability; unseen pixels are clear."""
    probability = np.nan_to_num(scenes.read_resized_probability(files, size))
    picture = np.empty((*probability.shape, 4), dtype=np.uint8)
    picture[..., :3] = colours.SKY
    picture[..., 3] = np.round(255 * PROBABILITY_OPACITY * probability)
    return picture


def _change(path: Path, size: MapSize) -> UInt8Array:
    """Return lost and gained ground (h, w, 4) in its colours; clear elsewhere."""
    classes = scenes.read_resized(path, size)[0]
    return class_picture(classes, {LOST: colours.LOST, GAINED: colours.GAINED}, opacity=CHANGE_OPACITY)
