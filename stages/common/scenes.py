"""How an acquisition is stored in ``data/scenes/<year>/`` and read back: STAC items with COG assets, one a band.

::

    data/catalog.json                    static catalogue, self-contained: links every item
    data/scenes/<year>/index.json        the year's items (`tables.SceneIndex`)
    data/scenes/<year>/<id>/<id>.json    STAC item
    data/scenes/<year>/<id>/<band>.tif   one COG a band; the asset's key is the band's name
    data/scenes/<year>/<id>/cloud_mask.tif   optional, uint8 on a grid of its own: not 0 is cloud
    data/scenes/<year>/<id>/scl.tif      optional, uint8 on a grid of its own: Sentinel-2 scene classes 0-11

A year's folder knows nothing of other years, so that a new year changes no byte of an old one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from stages.common.errors import InputError
from stages.common.grid import Grid
from stages.common.outputs import write_json
from stages.common.raster import write_cog
from stages.common.tables import SceneIndex
from stages.common.types import AnyArray

CLOUD_MASK, SCL = "cloud_mask", "scl"
"""Keys of the assets that are no bands."""

INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class SceneInfo:
    """What is known of one acquisition apart from its pixels. None: not known."""

    id: str
    """Unique in the series; names the item's folder."""
    year: int
    """Year of the series that the acquisition stands for."""
    acquired: dt.date | dt.datetime | None
    """Day, or instant (UTC) where it is known."""
    product: str
    """File name or product URI; never a path."""
    platform: str | None = None
    processing_level: str | None = None
    """As ``L2A``."""
    processing_baseline: str | None = None
    """As ``05.09``."""
    relative_orbit: int | None = None
    tile: str | None = None
    """MGRS tile, as ``44RLV``."""
    sun_elevation_deg: float | None = None
    sun_azimuth_deg: float | None = None
    convention: str | None = None
    """What the DN mean (`stages.common.harmonise.Convention`); None: as stated with each band."""
    boa_offset_applied: bool | None = None
    """Earth Search's flag; for its convention alone."""

    @property
    def day(self) -> dt.date | None:
        """Day of acquisition."""
        return self.acquired.date() if isinstance(self.acquired, dt.datetime) else self.acquired


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One band, or a mask, on its way into storage."""

    name: str
    pixels: AnyArray
    """(H, W), the source's own numbers."""
    grid: Grid
    """The source's own grid, in any CRS; its pixels need not be square."""
    nodata: float | None
    scale: float = 1.0
    offset: float = 0.0
    """Reflectance = DN x scale + offset."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """One stored band."""

    path: Path
    dtype: str
    nodata: float | None
    """DN of pixels without data, tested before the offset; NaN is never data whatever this says."""
    scale: float
    offset: float
    """Reflectance = DN x scale + offset."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A stored acquisition."""

    info: SceneInfo
    bands: Mapping[str, Band] = field(default_factory=dict)
    """By band name."""
    cloud_mask: Path | None = None
    """uint8 COG on a grid of its own: not 0 is cloud."""
    scl: Path | None = None
    """uint8 COG on a grid of its own: Sentinel-2 scene classification, 0-11."""

    @property
    def files(self) -> list[Path]:
        """All COGs."""
        return [*(band.path for band in self.bands.values()), *(mask for mask in (self.cloud_mask, self.scl) if mask)]


def write_scene(year_folder: Path, info: SceneInfo, layers: Iterable[Layer]) -> Scene:
    """Store an acquisition, one layer in memory at a time, and return it as it can be read back."""
    from stages.common.stac import item_of, write_item

    folder = year_folder / info.id
    folder.mkdir(parents=True)
    bands: dict[str, Band] = {}
    masks: dict[str, Path] = {}
    for layer in layers:
        path = folder / f"{layer.name}.tif"
        write_cog(
            path, layer.pixels, layer.grid, nodata=layer.nodata,
            bands=[layer.name], scale=layer.scale, offset=layer.offset,
        )  # fmt: skip
        if layer.name in (CLOUD_MASK, SCL):
            masks[layer.name] = path
        else:
            bands[layer.name] = Band(
                path=path, dtype=str(layer.pixels.dtype), nodata=layer.nodata, scale=layer.scale, offset=layer.offset
            )
    scene = Scene(info=info, bands=bands, **masks)
    write_item(item_of(scene), folder / f"{info.id}.json", catalog=year_folder.parents[1] / "catalog.json")
    return scene


def write_index(year_folder: Path, year: int, scenes: Sequence[Scene]) -> None:
    """Write the year's list of items."""
    items = [f"{scene.info.id}/{scene.info.id}.json" for scene in scenes]
    write_json(year_folder / INDEX, SceneIndex(year=year, items=items))


def read_scenes(year_folder: Path) -> list[Scene]:
    """Acquisitions of a year, in the order of its index; needs nothing outside the folder.

    Raises
    ------
    InputError
        The index, an item or an asset's file is absent or not what it must be.
    """
    index = _read_index(year_folder / INDEX)
    return [_read_scene(year_folder / item, index.year) for item in index.items]


def _read_index(path: Path) -> SceneIndex:
    try:
        return SceneIndex.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise _unreadable(path, "the year's list of STAC items", error) from error


def _read_scene(path: Path, year: int) -> Scene:
    from pystac.errors import STACError, STACTypeError

    from stages.common.stac import read_item, scene_of

    try:
        scene = scene_of(read_item(path), year)
    except (OSError, STACError, STACTypeError, json.JSONDecodeError, KeyError, ValueError) as error:
        raise _unreadable(path, "a STAC item with one COG asset a band", error) from error
    for file in scene.files:
        if not file.is_file():
            raise _unreadable(file, "the COG of an asset", "nothing")
    return scene


def _unreadable(path: Path, expected: str, found: object) -> InputError:
    return InputError(
        "a stored scene cannot be read",
        where=path,
        expected=expected,
        found=" ".join(str(found).split())[:200],
        fix="run `dvc pull` or `make ingest`",
    )
