"""How an acquisition is stored in ``data/scenes/<year>/`` and read back: STAC items with COG assets, one per band.

::

    data/catalog.json                    static catalogue, self-contained: links every item
    data/scenes/<year>/index.json        the year's items (`tables.SceneIndex`)
    data/scenes/<year>/<id>/<id>.json    STAC item
    data/scenes/<year>/<id>/<band>.tif   one COG per band; the asset's key is the band's name
    data/scenes/<year>/<id>/cloud_mask.tif   optional, uint8 on a grid of its own: not 0 is cloud
    data/scenes/<year>/<id>/scl.tif      optional, uint8 on a grid of its own: Sentinel-2 scene classes 0-11

A year's folder knows nothing of other years, so that a new year changes no byte of an old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from stages.common.errors import InputError
from stages.common.files import require_inside
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.scene.scene import CLOUD_MASK, SCL, Band, Layer, Scene, SceneInfo
from stages.common.tables.data import SceneIndex

INDEX = "index.json"


def write_scene(year_folder: Path, info: SceneInfo, layers: Iterable[Layer]) -> Scene:
    """Store an acquisition, one layer in memory at a time, and return it as it can be read back."""
    from stages.common.scene.stac import item_of, write_item

    folder = year_folder / info.id
    require_inside(folder, year_folder)
    folder.mkdir(parents=True)
    bands: dict[str, Band] = {}
    masks: dict[str, Path] = {}
    for layer in layers:
        path = folder / f"{layer.name}.tif"
        require_inside(path, folder)
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
    """Read the acquisitions of a year, in the order of its index; nothing outside the folder is needed.

    Raises
    ------
    InputError
        The index, an item or an asset's file is absent or not what it must be.
    """
    index = _read_index(year_folder / INDEX)
    return [_read_scene(year_folder, item, index.year) for item in index.items]


def _read_index(path: Path) -> SceneIndex:
    try:
        return SceneIndex.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(path, "the year's list of STAC items", error) from error


def _read_scene(year_folder: Path, item: str, year: int) -> Scene:
    from pystac.errors import STACError, STACTypeError

    from stages.common.scene.stac import read_item, scene_of

    path = year_folder / item
    require_inside(path, year_folder)
    try:
        scene = scene_of(read_item(path), year, path.parent)
    except (
        OSError,
        STACError,
        STACTypeError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise _unreadable(path, "a STAC item with one COG asset per band", error) from error
    for file in scene.files:
        require_inside(file, year_folder)
        if not file.is_file():
            raise _unreadable(file, "the COG of an asset", "nothing")
    return scene


def _unreadable(path: Path, expected: str, actual: object) -> InputError:
    return InputError(
        "a stored scene cannot be read",
        where=path,
        expected=expected,
        found=" ".join(str(actual).split())[:200],
        fix="run `dvc pull` or `make ingest`",
    )
