"""The stage's verb: cut patches from a year's scene and the labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasterio.features import shapes
from rasterio.warp import transform_geom

from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import gdal_env, grid_of, open_raster, read_band, write_cog
from stages.common.geo.rows import RowReader
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.model.split import MAY_LABEL, TRAIN, check_patch
from stages.common.run.outputs import ArrayParts, write_arrays, write_json
from stages.common.run.stage import Run
from stages.common.tables import kinds
from stages.common.tables.learning import PatchStats
from stages.common.types import AnyArray, UInt8Array
from stages.patches.enough import require_patches
from stages.patches.roles import pixel_roles
from stages.patches.statistics import PixelSums, sum_pixels
from stages.patches.windows import PatchSet, Scene, cut


def cut_patches(run: Run) -> None:
    """Write train.npz, validation.npz, calibration.npz, the split and the statistics of the training part.

    The ignore band along the boundary is for training alone. Held-out patches are labelled there too: where only easy
    pixels are checked, a model looks perfect, and neither its probability nor its area is.
    """
    valid = Bits.of(read_band(run.path("artifacts/prepare/{year}/valid.tif")) == 1)
    scene_path = run.path("artifacts/prepare/{year}/scene.tif")
    with gdal_env(), open_raster(scene_path) as dataset:
        grid, scene = grid_of(dataset), Scene(dataset.count, dataset.dtypes[0], RowReader(dataset, scene_path).read)
        storage = {"bands": list(dataset.descriptions), "scale": dataset.scales[0], "offset": dataset.offsets[0]}
        roles, sets = _split(run, scene, valid, grid)
        for use, patches in sets.items():
            path = run.out / f"{use}.npz"
            if use != "calibration":  # a split with one block to validate on has none to calibrate on
                require_patches(len(patches), use, roles, run.params.patches)
            write_arrays(path, patch_arrays(patches, roles, use=use, where=path))
        sums = sum_pixels(scene, Bits.by_rows(grid.shape, lambda rows: valid[rows] & (roles[rows] == TRAIN)))
        write_cog(run.out / "split.tif", roles, grid, nodata=None)
    (run.out / "split.geojson").write_text(json.dumps(split_map(roles, grid), indent=1) + "\n", encoding="utf-8")
    stats = _stats(run, sets, sums, storage)
    write_json(run.out / "stats.json", stats)
    shares = (f"{name} {100 * float((roles == value).mean()):.0f} %" for value, name in enumerate(kinds.ROLES))
    counts = stats.training_patches, stats.validation_patches, stats.calibration_patches
    run.log.info("%d training, %d validation and %d calibration patches; of the grid: %s", *counts, ", ".join(shares))


def _split(run: Run, scene: Scene, valid: Bits, grid: Grid) -> tuple[UInt8Array, dict[str, PatchSet]]:
    """Return the role of each pixel, and the patches of each use."""
    params = run.params.patches
    ids = read_band(run.path("artifacts/labels/glacier_id.tif"))
    aoi = Bits.of(pixels_inside(read_polygons(run.path("data/aoi.gpkg"), grid.crs).geometry, grid))
    roles = pixel_roles(ids, aoi, params)
    del ids
    held_out = Plane.of_band(run.out, run.path("artifacts/labels/held_out.tif"))  # few windows are read of it
    training = read_band(run.path("artifacts/labels/glacier.tif"))
    labels = {use: training if use == "train" else held_out for use in MAY_LABEL}
    return roles, {use: cut(scene, valid, labels[use], roles, params, use=use) for use in MAY_LABEL}


def patch_arrays(patches: PatchSet, roles: UInt8Array, *, use: str, where: Path) -> dict[str, AnyArray | ArrayParts]:
    """Return the arrays of a file of patches; each patch is checked for leaks when it is written."""
    count, side, places = len(patches), patches.side_px, patches.places()

    def checked_images() -> Iterator[AnyArray]:
        parts = zip(patches.images(), patches.labels(), patches.visible(), patches.corners, strict=True)
        for index, (image, label, visible, corner) in enumerate(parts):
            check_patch(image, label, visible, roles, corner=corner, use=use, where=f"{where}, patch {index}")
            yield image

    return {
        "image": ArrayParts((count, side, side, patches.scene.bands), patches.scene.dtype, checked_images),
        "label": ArrayParts((count, side, side), "uint8", patches.labels),
        "visible": ArrayParts((count, side, side), "uint8", patches.visible),
        "row": places[:, 0],
        "column": places[:, 1],
    }


def _stats(run: Run, sets: dict[str, PatchSet], sums: PixelSums, storage: dict[str, Any]) -> PatchStats:
    mean, std = sums.statistics(scale=storage["scale"], offset=storage["offset"])
    counts = [(int((label == 1).sum()), int((label != kinds.IGNORE).sum())) for label in sets["train"].labels()]
    glacier_px, labelled_px = zip(*counts, strict=True)
    return PatchStats(
        year=int(run.year or 0),
        mean=mean,
        std=std,
        pixels=sums.pixels,
        training_patches=len(sets["train"]),
        validation_patches=len(sets["validation"]),
        calibration_patches=len(sets["calibration"]),
        patches_without_glacier=glacier_px.count(0),
        glacier_fraction=round(sum(glacier_px) / max(sum(labelled_px), 1), 6),
        buffer_px=run.params.patches.buffer_px,
        histogram=sums.histogram.tolist(),
        **storage,
    )


def split_map(roles: UInt8Array, grid: Grid) -> dict[str, Any]:
    """Return the areas of each role as GeoJSON (EPSG:4326), to look at on a map."""
    features = []
    for shape, value in shapes(roles, transform=grid.transform, connectivity=4):
        geometry = transform_geom(grid.crs, "EPSG:4326", shape, precision=7)
        features.append({"type": "Feature", "properties": {"role": kinds.ROLES[int(value)]}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}
