"""A made-up labelled scene on a small grid, as arrays and as a site's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.raster import write_cog
from stages.common.model.probability import encode_probability
from stages.common.model.split import TEST, block_folds
from stages.common.params.learning import PatchesParams
from stages.common.run.outputs import write_json, write_table
from stages.common.tables.evaluate import EvaluateMetrics, Scores
from stages.common.tables.kinds import IGNORE, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.labels import GlacierRow
from stages.evaluate.scene import LabelledScene

BLOCK_PX, BLOCKS, FOLDS = 20, 6, 3
SIDE_PX = BLOCK_PX * BLOCKS
GRID = Grid("EPSG:32644", Affine(30, 0, tiny.LEFT, 0, -30, tiny.TOP), SIDE_PX, SIDE_PX)
PATCHES = PatchesParams(block_rows_px=BLOCK_PX, block_columns_px=BLOCK_PX, folds=FOLDS, size_px=16, margin_px=4)
PERFECT = Scores(iou=1, f1=1, precision=1, recall=1, area_bias_pct=0, boundary_distance_m=0)


def glacier(index: int, km2: float) -> GlacierRow:
    return GlacierRow(
        glacier_index=index, rgi_id=f"RGI60-15.{index:05d}", outline_area_km2=km2, geodesic_area_km2=km2,
        terminus="unknown",
    )  # fmt: skip


def ids() -> np.ndarray:
    """A large glacier over nine blocks, and a small one across the border of two blocks."""
    plane = np.zeros(GRID.shape, dtype=np.uint16)
    plane[10:70, 10:70] = 1
    plane[90:98, 74:84] = 2
    return plane


def brightness() -> np.ndarray:
    """(H, W, 3) raw pixels of the scene: ice is bright."""
    return np.where(ids()[..., None] > 0, 200, 90).astype(np.uint8) * np.ones(3, np.uint8)


def scene(**changes: Any) -> LabelledScene:
    content: dict[str, Any] = {
        "bands": ("red", "green", "blue"), "valid": ~Bits(GRID.shape), "glacier_id": Plane.of(None, ids()),
        "ignored": Bits(GRID.shape), "debris": None, "surface_method": "not available",
        "grid": GRID, "glaciers": [glacier(1, 12.0), glacier(2, 0.2)],
    }  # fmt: skip
    return LabelledScene(**content | changes)


def roles(fold: int) -> np.ndarray:
    """(H, W): the blocks of `fold` test, all else trains; the small glacier is held out whole with fold 0."""
    plane = np.where(block_folds(GRID.shape, PATCHES) == fold, TEST, 0).astype(np.uint8)
    if fold == 0:
        plane[ids() == 2] = TEST
    return plane


def write_fold(site: Path, fold: int, probability: np.ndarray, **metrics: Any) -> None:
    """The files that the cross-validation reads of a fold; (H, W) `probability` in 0-1."""
    folder = site / f"artifacts/folds/{fold}"
    folder.mkdir(parents=True, exist_ok=True)
    stored = encode_probability(probability.astype(np.float32), roles(fold) == TEST)
    write_cog(folder / "held_out.tif", stored, GRID, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    write_cog(folder / "split.tif", roles(fold), GRID, nodata=None)
    document = EvaluateMetrics.model_validate(
        {
            "year": 2020, "test_area_km2": 1, "test_glacier_km2": 1, "model": PERFECT,
            "model_outside_ignore_band": PERFECT, "baseline_everything_is_glacier": PERFECT,
            "baseline_threshold": PERFECT, "expected_calibration_error": 0,
            "baseline_threshold_rule": "brightness >= 150", "baseline_threshold_value": 150.0,
        }
        | metrics
    )  # fmt: skip
    write_json(folder / "evaluate.json", document)


def write_site(site: Path, *, folds: list[int]) -> None:
    """params.yaml, scene and labels of a site with the folds 0, 1 and 2."""
    content = tiny.params(site, [2020])
    patches = PATCHES.model_dump() | {"size_px": 32, "margin_px": 8}
    tiny.write_params(site, content | {"patches": patches, "crossval": {"folds": folds}})
    labelled, prepare, labels = scene(), site / "artifacts/prepare/2020", site / "artifacts/labels"
    prepare.mkdir(parents=True)
    labels.mkdir()
    pixels = np.moveaxis(brightness(), -1, 0)
    write_cog(prepare / "scene.tif", pixels, GRID, nodata=None, bands=labelled.bands)
    write_cog(prepare / "valid.tif", labelled.valid[:].astype(np.uint8), GRID, nodata=None)
    label = np.where(labelled.ignored[:], IGNORE, labelled.truth[:]).astype(np.uint8)
    write_cog(labels / "glacier.tif", label, GRID, nodata=None)
    write_cog(labels / "glacier_id.tif", labelled.glacier_id[:], GRID, nodata=None)
    write_table(labels / "glaciers.csv", labelled.glaciers, GlacierRow)
