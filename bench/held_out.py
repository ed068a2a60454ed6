"""What a right map would score on the held-out blocks of the demo, whose labels are older than its scenes.

    python -m bench.held_out [--demo .]

Run `make demo` before. The model's map and the truth of the same year are scored against the labels, as `evaluate`
scores the model; then the model's map against the truth. Ground that a glacier has left since its outline was drawn
counts as missed in the first two.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.fresh_process import ROOT
from stages.area.year.truth import CLEAN, DEBRIS, read_truth
from stages.common.geo.grid import pixel_area_km2
from stages.common.geo.raster import open_raster, read_band, read_grid
from stages.common.model.split import TEST
from stages.common.params.schema import load_params
from stages.common.scene.clean_ice import RED, SWIR, is_clean
from stages.common.types import BoolArray, Float32Array, Float64Array


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The held-out pixels of the demo, each array (N,)."""

    mapped: BoolArray
    """Glacier, by the model."""
    true: BoolArray
    """Glacier, by the simulator."""
    true_debris: BoolArray
    """More than half covered by debris, by the simulator."""
    labelled: BoolArray
    """Glacier, by the old outlines."""
    clean: BoolArray
    """Bright enough in red beside the infrared to be clean ice, as `evaluate` tells it from debris."""
    area_km2: Float64Array


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT, help="folder in which `make demo` has run")
    pixels = read_held_out(parser.parse_args().demo)
    print("| | IoU | area bias | recall of debris-covered ice | recall of clean ice |\n|---|---|---|---|---|")
    labelled_debris, labelled_clean = pixels.labelled & ~pixels.clean, pixels.labelled & pixels.clean
    rows = (
        ("the model's map, against the labels", pixels.mapped, pixels.labelled, labelled_debris, labelled_clean),
        ("the truth, against the labels", pixels.true, pixels.labelled, labelled_debris, labelled_clean),
        (
            "the model's map, against the truth",
            pixels.mapped, pixels.true, pixels.true_debris, pixels.true & ~pixels.true_debris,
        ),
    )  # fmt: skip
    for name, mapped, reference, debris, clean in rows:
        iou, bias = overlap(mapped, reference), area_bias_pct(mapped, reference, pixels.area_km2)
        print(f"| {name} | {iou:.3f} | {bias:+.1f} % | {recall(mapped, debris):.3f} | {recall(mapped, clean):.3f} |")


def read_held_out(demo: Path) -> HeldOut:
    """Read the observed pixels of the test blocks in the year of the scores."""
    params = load_params(demo / "params.yaml")
    year = params.evaluate.year
    scene = demo / f"artifacts/prepare/{year}/scene.tif"
    valid = read_band(demo / f"artifacts/prepare/{year}/valid.tif") == 1
    region = valid & (read_band(demo / f"artifacts/patches/{year}/split.tif") == TEST)
    truth = read_truth(demo / "data/truth/truth.json", demo / "data/truth/surface.tif")
    if truth is None:
        raise SystemExit(f"{demo}: nothing is known to be true of a site that is not simulated; give the demo's folder")
    surface = truth.of_year(year)[region]
    red, infrared = (_reflectance(scene, name)[region] for name in (RED, SWIR))
    return HeldOut(
        mapped=read_band(demo / f"artifacts/predict/{year}/mask.tif")[region] == 1,
        true=np.isin(surface, (CLEAN, DEBRIS)),
        true_debris=surface == DEBRIS,
        labelled=read_band(demo / "artifacts/labels/glacier_id.tif")[region] > 0,
        clean=is_clean(red, infrared, ratio_min=params.evaluate.clean_ratio_min),
        area_km2=pixel_area_km2(read_grid(scene))[region],
    )


def _reflectance(path: Path, band: str) -> Float32Array:
    with open_raster(path) as dataset:
        index = dataset.descriptions.index(band)
        stored = dataset.read(index + 1).astype(np.float32)
        return np.asarray(stored * np.float32(dataset.scales[index]) + np.float32(dataset.offsets[index]))


def overlap(mapped: BoolArray, reference: BoolArray) -> float:
    """Return the IoU of two maps, each (N,)."""
    return float((mapped & reference).sum() / (mapped | reference).sum())


def area_bias_pct(mapped: BoolArray, reference: BoolArray, area_km2: Float64Array) -> float:
    """Return how much larger the mapped area is than that of the reference, per cent."""
    return float(100 * (area_km2[mapped].sum() / area_km2[reference].sum() - 1))


def recall(mapped: BoolArray, ice: BoolArray) -> float:
    """Return the share of `ice` (N,) that is mapped."""
    return float(mapped[ice].mean())


if __name__ == "__main__":
    main()
