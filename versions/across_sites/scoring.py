"""Scores of a model on the whole scene of a site that it has not seen: against the truth where it is known."""

from __future__ import annotations

import contextlib
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from stages.area.year.truth import DEBRIS, read_truth
from stages.common.geo.raster import read_band
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.params.schema import load_params
from stages.common.run.documents import read_yaml
from stages.common.run.stage import Run, run_stage
from stages.common.types import BoolArray
from stages.evaluate.contract import CONTRACT as EVALUATE
from stages.evaluate.scene import LabelledScene, load_scene
from stages.evaluate.scores import ratio, score
from stages.predict.contract import CONTRACT as PREDICT
from stages.predict.predict import predict
from versions.across_sites.training import link

INPUTS = ("artifacts/prepare", "artifacts/labels", "data")
LOG = logging.getLogger("across_sites")


@dataclass(frozen=True)
class SiteScore:
    """How well a model maps a site."""

    against: str
    """'truth' or 'outlines'."""
    iou: float
    area_error_pct: float | None
    """None where there is no ice."""
    debris_recall: float | None
    """Share of the debris-covered ice that is mapped; None where debris cannot be told from clean ice."""
    outline_iou: float | None
    """IoU of the old outline as the map of every year; None where there is no truth to compare it with."""


def score_on(site: Path, model: Path, folder: Path) -> SiteScore:
    """Map the scene of `evaluate.year` of a finished site by the model in the folder `model`, and score it.

    The map is made in `folder`; the site stays as it is.

    All observed pixels of the AOI count, boundary and fronts included.

    Raises
    ------
    GlacierError
        The site is not finished, or the model does not fit its bands.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "artifacts").mkdir(parents=True)
    params = read_yaml(site / "params.yaml") | {"predict": {"model": "artifacts/train/model.onnx"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    for path in INPUTS:
        link((site / path).resolve(), folder / path)
    link(model.resolve(), folder / "artifacts/train")
    with contextlib.chdir(folder):
        run = Run(EVALUATE, load_params(), None, Path(), LOG)
        run_stage(PREDICT, predict, year=run.params.evaluate.year, log=LOG)
        return _score(load_scene(run), run.params.evaluate.year)


def _score(scene: LabelledScene, year: int) -> SiteScore:
    mapped = read_band(Path(f"artifacts/predict/{year}/mask.tif"))
    aoi = pixels_inside(read_polygons(Path("data/aoi.gpkg"), scene.grid.crs).geometry, scene.grid)
    region: BoolArray = scene.valid[:] & aoi & (mapped <= 1)
    ice, debris = scene.truth[:], None if scene.debris is None else scene.debris[:]
    truth = read_truth(Path("data/truth/truth.json"), Path("data/truth/surface.tif"))
    if truth is not None:
        surface = truth.of_year(year)[:]
        ice, debris = surface > 0, surface == DEBRIS
    scores = score(mapped == 1, ice, region, scene.area_km2, scene.grid.pixel_size_m)
    outline = score(scene.truth, ice, region, scene.area_km2, scene.grid.pixel_size_m)
    covered = None if debris is None else region & ice & debris
    return SiteScore(
        against="outlines" if truth is None else "truth",
        iou=scores.iou or 0.0,
        area_error_pct=scores.area_bias_pct,
        debris_recall=None if covered is None else ratio(float(np.sum(covered & (mapped == 1))), float(covered.sum())),
        outline_iou=outline.iou if truth is not None else None,
    )
