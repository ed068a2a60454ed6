"""Folders of patches as `patches` writes them, small enough to make in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.tables.learning import PatchStats

SIDE, BINS = 64, 3


def write_patches(
    folder: Path,
    *,
    year: int = 2020,
    level: float = 100.0,
    count: int = 3,
    left: float = tiny.LEFT,
    pixel_m: float = tiny.PIXEL_M,
    side: int = 16,
    dtype: str = "uint8",
    crs: str = tiny.CRS,
    **stats: Any,
) -> np.ndarray:
    """Write a year of `count` patches for each use, all on ground to train on; return the training patches' image."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng([year, count])
    place = np.zeros(count, dtype=np.int32)
    image = np.empty(0)
    for use in ("validation", "calibration", "train"):
        image = np.clip(rng.normal(level, 20, (count, side, side, 3)), 1, 254).astype(dtype)
        label = (
            rng.integers(0, 2, (count, side, side)).astype(np.uint8)
            if use == "train"
            else np.full_like(image[..., 0], 255, dtype=np.uint8)
        )
        np.savez_compressed(
            folder / f"{use}.npz", image=image, label=label, visible=np.ones_like(label), row=place, column=place
        )  # fmt: skip
    grid = Grid(crs, Affine(pixel_m, 0, left, 0, -pixel_m, tiny.TOP), SIDE, SIDE)
    write_cog(folder / "split.tif", np.zeros(grid.shape, dtype=np.uint8), grid, nodata=None)
    pixels = image.reshape(-1, 3).astype(float)
    base = {
        "year": year, "bands": tiny.BANDS, "scale": 1.0, "offset": 0.0, "mean": list(pixels.mean(axis=0)),
        "std": list(pixels.std(axis=0)), "pixels": len(pixels), "training_patches": count, "validation_patches": count,
        "patches_without_glacier": 0, "glacier_fraction": 0.5, "buffer_px": 4, "histogram": [[count] * BINS] * 3,
    }  # fmt: skip
    write_json(folder / "stats.json", PatchStats.model_validate(base | stats))
    return image
