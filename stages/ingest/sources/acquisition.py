"""What every source of imagery gives: acquisitions, and for a simulated site outlines, DEM and truth as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.params.schema import Params
from stages.common.scene.scene import Layer, SceneInfo
from stages.ingest.region import Region

ID_LENGTH_MAX = 200
"""File systems take names of 255 bytes, and files are named by the id and an ending."""


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """One scene that a source has: what is known of it, and its layers, read when they are asked for."""

    info: SceneInfo
    layers: Callable[[], Iterable[Layer]]
    """Bands in order, and layers called ``cloud_mask`` and ``scl`` where there are any; clipped, not resampled."""
    layer_count: int
    layer: Callable[[str], Layer | None] | None = None
    """One layer by name without reading the others, None where there is no such layer; also bands that `layers` leaves
    out. A source without it has its `layers` walked."""
    unfit: str | None = None
    """Why it can never be taken, where that is known without a look at its pixels."""


class GoneError(InputError):
    """A file that a catalogue or product names is not there, and will not be: another scene may stand in."""


Source = Callable[[Params, Region], Iterator[Acquisition]]
"""Acquisitions over a region for all years of the parameters, by year."""


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What a source gives. Most have imagery alone; outlines and DEM are then files that params.yaml names."""

    acquisitions: Source
    outlines: Callable[[Params, Region], Any] | None = None
    """GeoDataFrame, EPSG:4326, columns of RGI 7.0."""
    dem: Callable[[Params, Region], Layer] | None = None
    truth: Callable[[Params, Region, Path], None] | None = None
    """Writes ``data/truth/``."""


def scene_id(name: str) -> str:
    """Return a scene's id, which is the name of its folder: letters, digits, ``_``, ``-`` and ``.`` of its `name`.

    It never starts with a dot or dash, so that no name leads out of the folder or hides in it.
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).lstrip(".-")[:ID_LENGTH_MAX] or "scene"
