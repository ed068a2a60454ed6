"""The stage's verb: cut patches from a year's scene and the labels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from rasterio.features import shapes
from rasterio.warp import transform_geom

from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster, read_band, refuse_unreadable, write_cog
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.model.histograms import band_counts
from stages.common.model.split import MAY_LABEL, TRAIN, check_no_leak
from stages.common.run.outputs import write_arrays, write_json
from stages.common.run.stage import Run
from stages.common.tables import kinds
from stages.common.tables.learning import PatchStats
from stages.common.types import AnyArray, UInt8Array
from stages.patches.roles import pixel_roles
from stages.patches.windows import cut


def cut_patches(run: Run) -> None:
    """Write train.npz, validation.npz, calibration.npz, the split and the statistics of the training part.

    The ignore band along the boundary is for training alone. Held-out patches are labelled there too: where only easy
    pixels are checked, a model looks perfect, and neither its probability nor its area is.
    """
    valid = read_band(run.path("artifacts/prepare/{year}/valid.tif")) == 1
    training, held_out = (read_band(run.path(f"artifacts/labels/{name}.tif")) for name in ("glacier", "held_out"))
    ids = read_band(run.path("artifacts/labels/glacier_id.tif"))
    params = run.params.patches
    scene_path = run.path("artifacts/prepare/{year}/scene.tif")
    with open_raster(scene_path) as dataset, refuse_unreadable(scene_path):
        grid, scene = grid_of(dataset), np.moveaxis(dataset.read(), 0, -1)
        storage = {"bands": list(dataset.descriptions), "scale": dataset.scales[0], "offset": dataset.offsets[0]}
    aoi = pixels_inside(read_polygons(run.path("data/aoi.gpkg"), grid.crs).geometry, grid)
    roles = pixel_roles(ids, aoi, params)
    labels = {use: training if use == "train" else held_out for use in MAY_LABEL}
    sets = {use: cut(scene, valid, labels[use], roles, params, use=use) for use in MAY_LABEL}
    for use, patches in sets.items():
        path = run.out / f"{use}.npz"
        if use != "calibration":  # a split with one block to validate on has none to calibrate on
            _require_patches(patches, use)
        check_no_leak(patches, roles, use=use, where=path)
        write_arrays(path, patches)
    write_cog(run.out / "split.tif", roles, grid, nodata=None)
    (run.out / "split.geojson").write_text(json.dumps(split_map(roles, grid), indent=1) + "\n", encoding="utf-8")
    stats = _stats(run, sets, scene[valid & (roles == TRAIN)], storage)
    write_json(run.out / "stats.json", stats)
    shares = {name: f"{100 * float((roles == value).mean()):.0f} %" for value, name in enumerate(kinds.ROLES)}
    counts = stats.training_patches, stats.validation_patches, stats.calibration_patches
    run.log.info("%d training, %d validation and %d calibration patches; %s", *counts, shares)


def _require_patches(patches: dict[str, AnyArray], use: str) -> None:
    if len(patches["row"]) == 0:
        raise ContractError(
            f"the split leaves no {use} patch",
            where="params.yaml patches",
            expected="at least one patch",
            found="0",
            fix="use smaller blocks or a smaller buffer_px, or a larger AOI",
        )


def band_statistics(pixels: AnyArray, *, scale: float, offset: float) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each band of (N, C) raw pixels, in physical units, rounded to 1e-6."""
    mean = pixels.mean(axis=0, dtype=np.float64) * scale + offset
    std = pixels.std(axis=0, dtype=np.float64) * scale
    return [round(float(value), 6) for value in mean], [round(float(value), 6) for value in std]


def _stats(run: Run, sets: dict[str, dict[str, AnyArray]], pixels: AnyArray, storage: dict[str, Any]) -> PatchStats:
    label = sets["train"]["label"]
    mean, std = band_statistics(pixels, scale=storage["scale"], offset=storage["offset"])
    return PatchStats(
        year=int(run.year or 0),
        mean=mean,
        std=std,
        pixels=len(pixels),
        training_patches=len(label),
        validation_patches=len(sets["validation"]["label"]),
        calibration_patches=len(sets["calibration"]["label"]),
        patches_without_glacier=int((~(label == 1).any(axis=(1, 2))).sum()),
        glacier_fraction=round(float((label == 1).sum() / max((label != kinds.IGNORE).sum(), 1)), 6),
        buffer_px=run.params.patches.buffer_px,
        histogram=band_counts(pixels).tolist(),
        **storage,
    )


def split_map(roles: UInt8Array, grid: Grid) -> dict[str, Any]:
    """Return the areas of each role as GeoJSON (EPSG:4326), to look at on a map."""
    features = []
    for shape, value in shapes(roles, transform=grid.transform, connectivity=4):
        geometry = transform_geom(grid.crs, "EPSG:4326", shape, precision=7)
        features.append({"type": "Feature", "properties": {"role": kinds.ROLES[int(value)]}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}
