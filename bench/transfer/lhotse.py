"""Lhotse, the one real scene with short-wave infrared, DEM and outlines (Landsat): with terrain and without.

    GLACIER_SAMPLES=<folder> python -m bench.transfer.lhotse [--folder DIR] [--folds 0 1 2] [--epochs N] [--model SITE]
        [--start SITE]

36 % of the scene is glacier, nearly half of it debris-covered by its band ratio; its day is not stated. It is
cross-validated in five folds by the project's own stages, from images alone and with slope, curvature, roughness and
height above the valley. Each fold trains on three folds and chooses on the next one; the held-out parts are pooled. The
difference of the two has a 95 % interval, for which whole blocks are drawn with replacement.

Each `--model` is a finished site with other ground (twins, say) whose bands are these: its model maps the scene as it
is, without any training on it. From each `--start`, such a site too, the same folds are trained again, with the weights
of its model to begin with. `python -m bench.many_sites.pretrain --like DIR/images --folder TWINS ...` makes such a site
of twins: TWINS/train-SEEDS.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.fresh_process import run_stages
from bench.samples import samples_folder
from stages.common.geo.raster import read_band
from stages.common.params.schema import load_params
from stages.common.run.records import folder_md5
from stages.common.run.stage import Run
from stages.evaluate.contract import CONTRACT as EVALUATE
from stages.evaluate.scene import load_scene

YEAR, FOLDS = 2005, 5
"""Year that stands for the scene's: files and their source state none."""

IMAGES = ["B02", "B03", "B04", "B08", "B11"]
TERRAIN = ["slope", "curvature", "roughness", "height_above_valley"]
BAND_SETS = {"images": IMAGES, "terrain": [*IMAGES, *TERRAIN]}
BLOCK_PX, DRAWS = 46, 9999
AOI = [488400, 3086400, 495240, 3093300]
"""Within the DEM, EPSG:32645."""


def main() -> int:
    """Print the scores of each set of bands and of each model; always return 0: these are figures, not a test."""
    arguments = parse_arguments()
    samples = samples_folder()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.folder or Path(scratch)).resolve()
        for name, bands in BAND_SETS.items():
            site = make_site(folder / name, samples, bands, epochs=arguments.epochs)
            if arguments.folds:
                print_line(f"{name}, cross-validated", cross_validate(site, arguments.folds))
        if arguments.folds:
            print("terrain less images: " + ", ".join(differences(folder / "images", folder / "terrain")), flush=True)
        for start in arguments.start:
            name, bands = bands_of(start)
            site = make_site(folder / f"{name}-started", samples, bands, epochs=arguments.epochs, start=start)
            print_line(f"{name}, from {start}, cross-validated", cross_validate(site, arguments.folds))
            print(f"{name}, started less not: {', '.join(differences(folder / name, site))}", flush=True)
        for model in arguments.model:
            print_line(f"model of {model.name}, nothing learnt here", map_scene(folder, model.resolve()))
    return 0


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="folder in which the sites are made and fold_folder")
    parser.add_argument("--folds", type=int, nargs="*", default=list(range(FOLDS)), help="folds to hold out")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of each training")
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="finished sites whose models map the scene")
    parser.add_argument("--start", type=Path, nargs="*", default=[], help="sites whose models the folds start from")
    return parser.parse_args()


def bands_of(model: Path) -> tuple[str, list[str]]:
    """Return name and bands of the set that a site's model was trained on."""
    bands = yaml.safe_load((model / "params.yaml").read_text(encoding="utf-8"))["prepare"]["bands"]
    return next((name, of_set) for name, of_set in BAND_SETS.items() if of_set == bands)


def make_site(site: Path, samples: Path, bands: Sequence[str], *, epochs: int, start: Path | None = None) -> Path:
    """Ingest, prepare and label the scene in `site`; trainings start from the model of `start`, a finished site."""
    site.mkdir(parents=True, exist_ok=True)
    content = params(samples, bands, epochs=epochs)
    if start:
        model = (start / "artifacts/train").resolve()
        content["train"]["initial_model"] = {"path": str(model), "md5": folder_md5(model)}
    write_params(site, content)
    run_stages(site, YEAR, "ingest", "prepare", "labels")
    return site


def params(samples: Path, bands: Sequence[str], *, epochs: int) -> dict[str, Any]:
    """Return params.yaml, as `make site` writes it for this scene, with these bands."""
    scene = {
        "path": str(samples / "lhotse-landsat/landsat_toa.tif"), "date": f"{YEAR}-09-15", "bands": [*IMAGES, "thermal"],
    }  # fmt: skip
    return {
        "site": {"name": "lhotse", "title": "South side of Lhotse, Landsat"},
        "years": [YEAR],
        "training_years": [YEAR],
        "grid": {"crs": "EPSG:32645", "pixel_size_m": 30},
        "ingest": {
            "source": "raster",
            "raster": {"scenes": [scene]},
            "outlines": {"path": str(samples / "everest-landsat7/15_rgi60_glacier_outlines.gpkg")},
            "aoi": {"bounds": AOI, "crs": "EPSG:32645"},
            "auxiliary": {"dem": str(samples / "lhotse-landsat/nasadem.tif")},
        },
        "prepare": {"bands": list(bands), "storage": "sentinel2"},
        "labels": {"boundary_ignore_m": "by_age", "terminus_ignore_m": "by_age"},
        "patches": {
            "size_px": 64, "stride_px": 32, "block_rows_px": BLOCK_PX, "block_columns_px": BLOCK_PX, "folds": FOLDS,
            "test_fold": 0, "validation_fold": 1, "buffer_px": 8,
        },
        "train": {
            "batch_size": 8, "epochs": epochs, "patience_epochs": epochs, "augmentation": {"mirror_azimuth_deg": 136},
        },
        "evaluate": {"year": YEAR},
        "crossval": {"folds": list(range(FOLDS))},
        "predict": {"model": "artifacts/train/model.onnx"},
        "area": {},
        "gates": {},
        "report": {"rgb": ["B04", "B03", "B02"]},
    }  # fmt: skip


def cross_validate(site: Path, folds: Sequence[int]) -> dict[str, Any]:
    """Train and test each fold, unless that is done already, and return what the stage that pools them says."""
    content = yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8"))
    content["crossval"]["folds"] = list(folds)
    for fold in folds:
        fold_folder = site / "artifacts/folds" / str(fold)
        if fold_folder.exists():
            continue
        content["patches"] |= {"test_fold": fold, "validation_fold": (fold + 1) % FOLDS}
        write_params(site, content)
        run_stages(site, YEAR, "patches", "train", "evaluate")
        fold_folder.mkdir(parents=True)
        for path in (f"patches/{YEAR}/split.tif", "evaluate/held_out.tif"):
            shutil.copy(site / "artifacts" / path, fold_folder)
        shutil.copy(site / "metrics/evaluate.json", fold_folder)
    run_stages(site, YEAR, "evaluate.crossval")
    metrics = json.loads((site / "metrics/crossval.json").read_text(encoding="utf-8"))
    return {**metrics["model"], "debris_recall": metrics["debris_recall"]}


def differences(first: Path, second: Path) -> list[str]:
    """Return in words by how much the second cross-validated map scores better, with the 95 % interval over blocks."""
    with contextlib.chdir(first):
        scene = load_scene(Run(EVALUATE, load_params(), None, Path(), logging.getLogger("bench")))
    maps = [read_band(site / "artifacts/crossval/mask.tif") for site in (first, second)]
    assert scene.debris is not None
    seen, ice, debris = (maps[0] <= 1) & (maps[1] <= 1), scene.truth[:], scene.debris[:]
    kinds = {"recall of debris-covered ice": ice & debris, "recall of clean ice": ice & ~debris}
    counts = {"IoU": [((mapped == 1) & ice, (mapped == 1) | ice) for mapped in maps]}
    counts |= {name: [((mapped == 1) & kind, kind) for mapped in maps] for name, kind in kinds.items()}
    rows, columns = np.indices(seen.shape) // BLOCK_PX
    blocks = (rows * (columns.max() + 1) + columns)[seen]
    drawn = np.random.default_rng(0).integers(0, blocks.max() + 1, (DRAWS, blocks.max() + 1))
    lines = []
    for name, pairs in counts.items():
        sums = np.array([[np.bincount(blocks, part[seen]) for part in pair] for pair in pairs])
        (of_all,), of_draws = (
            _second_less_first(sums.sum(axis=-1)[..., None]),
            _second_less_first(sums[..., drawn].sum(-1)),
        )
        low, high = np.quantile(of_draws, (0.025, 0.975))
        lines.append(f"{name} {of_all:+.3f} ({low:+.3f} to {high:+.3f})")
    return lines


def _second_less_first(sums: np.ndarray) -> np.ndarray:
    """Return the difference (N,) of the two ratios whose parts and wholes are (2 maps, 2, N)."""
    return np.asarray(sums[1, 0] / sums[1, 1] - sums[0, 0] / sums[0, 1])


def map_scene(folder: Path, model: Path) -> dict[str, Any]:
    """Map the scene by the model of another site and score the whole of it against the outlines."""
    site = folder / bands_of(model)[0]
    shutil.rmtree(site / "artifacts/train", ignore_errors=True)
    shutil.copytree(model / "artifacts/train", site / "artifacts/train")
    run_stages(site, YEAR, "predict")
    mask = read_band(site / f"artifacts/predict/{YEAR}/mask.tif")
    glacier = read_band(site / "artifacts/labels/glacier.tif")
    seen = (mask <= 1) & (glacier <= 1)
    mapped, truth = mask[seen] == 1, glacier[seen] == 1
    return {
        "iou": float((mapped & truth).sum() / (mapped | truth).sum()),
        "precision": float((mapped & truth).sum() / max(mapped.sum(), 1)),
        "recall": float((mapped & truth).sum() / truth.sum()),
        "area_bias_pct": float(100 * (mapped.sum() / truth.sum() - 1)),
        "everything_is_glacier": float(truth.mean()),
    }


def write_params(site: Path, content: dict[str, Any]) -> None:
    """Write params.yaml."""
    (site / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def print_line(name: str, scores: dict[str, Any]) -> None:
    """Print a name and its scores that are numbers."""
    numbers = {key: value for key, value in scores.items() if isinstance(value, float)}
    print(f"{name}: " + ", ".join(f"{key} {np.round(value, 3)}" for key, value in numbers.items()), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
