"""The stage's verb: a scene and a model in, probability and mask out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window as RasterWindow
from tqdm import tqdm

from stages.common.errors import ContractError
from stages.common.inference import ModelInfo, open_session, plan_for, predict_windows, read_info, scene_reader
from stages.common.kinds import MASK_NODATA, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.raster import finish_cog, gdal_env, grid_of, open_raster, profile
from stages.common.stage import Run
from stages.common.types import BoolArray, Float32Array, UInt8Array, UInt16Array
from stages.common.windows import WindowPlan


def predict(run: Run) -> None:
    """Write probability.tif and mask.tif."""
    info = read_info(run.path("{model}"))
    scene = run.path("artifacts/prepare/{year}/scene.tif")
    valid = run.path("artifacts/prepare/{year}/valid.tif")
    with gdal_env():
        plan = map_scene(info, scene, valid, run.out)
    run.log.info(
        "%d windows of %d x %d px; margins cost %.2f times the scene's pixels",
        len(plan), plan.window_height, plan.window_width, plan.compute_ratio,
    )  # fmt: skip


def map_scene(info: ModelInfo, scene_path: Path, valid_path: Path, out: Path) -> WindowPlan:
    """Map a scene window by window into `out`; memory is bounded by the window, whatever the scene's size."""
    with open_raster(scene_path) as scene, open_raster(valid_path) as valid:
        check_bands(info, scene.descriptions, scene_path)
        plan = plan_for(info, scene.height, scene.width)
        session = open_session(info.path, height=plan.window_height, width=plan.window_width)
        grid = grid_of(scene)
        drafts = out / "probability.plain.tif", out / "mask.plain.tif"
        with (
            rasterio.open(
                drafts[0], "w", **profile(grid, count=1, dtype="uint16", nodata=PROBABILITY_NODATA)
            ) as probabilities,
            rasterio.open(drafts[1], "w", **profile(grid, count=1, dtype="uint8", nodata=MASK_NODATA)) as masks,
        ):
            probabilities.scales = (PROBABILITY_SCALE,)
            results = predict_windows(session, scene_reader(scene, valid), plan)
            for window, probability in tqdm(results, total=len(plan), desc="predict", unit="window", disable=None):
                place = RasterWindow(window.columns.keep_start, window.rows.keep_start, *probability.shape[::-1])
                seen = valid.read(1, window=place) == 1
                probabilities.write(encode(probability, seen), 1, window=place)
                masks.write(to_mask(probability, seen, info.threshold), 1, window=place)
    finish_cog(drafts[0], out / "probability.tif", continuous=True)
    finish_cog(drafts[1], out / "mask.tif", continuous=False)
    return plan


def check_bands(info: ModelInfo, bands: Sequence[str | None], where: Path) -> None:
    """Refuse a scene whose bands, or their order, are not those the model has learned from."""
    if tuple(bands) != info.bands:
        raise ContractError(
            "the scene's bands are not the model's",
            where=where,
            expected=", ".join(info.bands),
            found=", ".join(map(str, bands)),
            fix="train a model on these bands, or set prepare.bands to the model's",
        )


def encode(probability: Float32Array, seen: BoolArray) -> UInt16Array:
    """(H, W) float32 0-1 to uint16 0-10000; 65535 where nothing was seen."""
    scaled = np.rint(probability / np.float32(PROBABILITY_SCALE)).astype(np.uint16)
    return np.where(seen, scaled, np.uint16(PROBABILITY_NODATA))


def to_mask(probability: Float32Array, seen: BoolArray, threshold: float) -> UInt8Array:
    """(H, W) uint8: 1 where the probability reaches the threshold, 0 below, 255 where nothing was seen."""
    return np.where(seen, (probability >= threshold).astype(np.uint8), np.uint8(MASK_NODATA))
