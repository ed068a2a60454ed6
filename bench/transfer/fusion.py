"""What the outlines product gains on twins of known truth, and what its constants rest on.

    python -m bench.transfer --still 5 --changed 5 --model SITE --folder DIR     # makes the twins and maps them
    python -m bench.transfer.fusion --model SITE --folder DIR [--fit]

For each twin: IoU and mean absolute error of the area of the old outline as the map of every year, of the image alone,
and of the outlines product; then over all twins, and how the errors of the outlines product compare with its stated
ones. `--fit` estimates the weights of the image and the error of drawing anew, by maximum likelihood on the truth, each
twin with its own movement of the fronts.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit

from bench.transfer.twins import maps_of
from stages.area.contract import CONTRACT as AREA
from stages.area.contract import PROBABILITY, VALID
from stages.area.error.fused_error import FACTORS
from stages.area.fusion.fuse import NEAR_M, threshold_of, time_of
from stages.area.fusion.margin import margin_of
from stages.area.fusion.model import DECAY, SURE
from stages.area.map.elevation import read_dem
from stages.area.site import heights_of, read_site
from stages.area.year.truth import read_truth
from stages.common.geo.raster import gdal_env, read_band
from stages.common.params.schema import load_params
from stages.common.run.records import read_document, read_rows
from stages.common.run.stage import Run
from stages.common.tables.area import AreaMetrics, AreaRow, AreaSeries
from stages.common.tables.kinds import PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.truth import TruthRow
from stages.common.types import BoolArray, Float64Array

FIRST_NEW_SEED = 105
"""Weights and errors of the outlines product were estimated on twins of the terrains before this one."""
DRAWS = 9999
PIXELS = 4000
"""Pixels of a year and twin that the fit uses."""


@dataclass(frozen=True)
class TwinScores:
    """Scores of one twin."""

    terrain: str
    iou: tuple[float, float, float]
    """Of the old outline, the image alone and the outlines product."""
    error_pct: tuple[float, float, float]
    standardised: list[float]
    """Error of each year's area over its stated sigma."""


@dataclass(frozen=True)
class TruePixels:
    """N pixels near the outlines of one twin, with the truth."""

    log_odds: Float64Array
    beyond_m: Float64Array
    height: Float64Array
    age: Float64Array
    glacier: BoolArray


def main() -> int:
    """Print the scores; always return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="twins that `bench.transfer` has made")
    parser.add_argument("--model", type=Path, default=Path(), help="finished site whose model has mapped them")
    parser.add_argument("--fit", action="store_true", help="estimate the constants anew")
    arguments = parser.parse_args()
    maps = maps_of(arguments.folder, arguments.model)
    sites = [path.parents[2] for path in sorted(maps.glob("*/artifacts/area/outlines_product.json"))]
    scores = [read_scores(site) for site in sites]
    for site, score in zip(sites, scores, strict=True):
        print(f"{site.name}: {_line(score)}")
    print("\nall:")
    report(scores)
    if new := [score for site, score in zip(sites, scores, strict=True) if site.name >= f"s{FIRST_NEW_SEED}"]:
        print(f"\nterrains from {FIRST_NEW_SEED} on, which no constant rests on:")
        report(new)
    if arguments.fit:
        fit([true_pixels(site) for site in sites])
    return 0


def read_scores(site: Path) -> TwinScores:
    """Read the scores of a measured twin."""
    truth = read_document(site / "metrics/area.json", AreaMetrics).truth
    assert truth is not None
    assert truth.image_iou is not None
    assert truth.unchanged_outline_iou is not None
    rows: Sequence[AreaRow] = read_document(site / "artifacts/area/series.json", AreaSeries).years
    true_km2 = {row.year: row.true_area_km2 for row in read_rows(site / "artifacts/area/truth_by_year.csv", TruthRow)}
    sigma_km2 = [float(np.hypot(row.sigma_delineation_km2 or 0, row.sigma_model_km2 or 0)) for row in rows]
    return TwinScores(
        site.name.split("_", maxsplit=1)[0],
        (truth.unchanged_outline_iou, truth.image_iou, truth.iou),
        (
            truth.unchanged_outline_mean_absolute_error_pct or 0.0,
            truth.image_mean_absolute_error_pct or 0.0,
            truth.mean_absolute_error_pct,
        ),
        [(row.glacier_area_km2 - true_km2[row.year]) / sigma for row, sigma in zip(rows, sigma_km2, strict=True)],
    )


def report(scores: Sequence[TwinScores]) -> None:
    """Print means over the twins, and which part of the true areas the stated errors hold."""
    names = ("old outline", "image alone", "outlines product")
    ious, errors = np.mean([score.iou for score in scores], axis=0), np.mean([s.error_pct for s in scores], axis=0)
    print(f"{len(scores)} twins, mean of each")
    for name, iou, error in zip(names, ious, errors, strict=True):
        print(f"{name}: IoU {iou:.3f}, mean absolute error of the area {error:.1f} %")
    standardised = np.abs(np.concatenate([score.standardised for score in scores]))
    for level, factor in FACTORS.by_level.items():
        print(f"true area within {factor:g} stated sigma ({level} %): {_coverage(scores, factor)}")
    print(f"root mean square of error / stated sigma: {np.sqrt((standardised**2).mean()):.2f}")


def true_pixels(site: Path) -> TruePixels:
    """Sample a twin's pixels near its outlines, with the raw log odds of the image against the model's threshold."""
    parts = []
    with contextlib.chdir(site), gdal_env():
        run = Run(contract=AREA, params=load_params(), year=None, out=Path(), log=logging.getLogger("bench"))
        place = read_site(run)
        margin = margin_of(place, heights_of(place, read_dem(run)))
        truth = read_truth(Path("data/truth/truth.json"), Path("data/truth/surface.tif"))
        assert truth is not None
        for year in run.params.years:
            stored, valid = read_band(run.by_year(PROBABILITY)[year]), read_band(run.by_year(VALID)[year]) == 1
            use = place.aoi[:] & valid & (np.abs(margin.beyond_m[:]) < NEAR_M) & (stored != PROBABILITY_NODATA)
            chosen = np.flatnonzero(use)[:: max(int(use.sum()) // PIXELS, 1)]
            p = np.clip(stored.ravel()[chosen] * PROBABILITY_SCALE, SURE, 1 - SURE)
            age = np.abs(time_of(run, year) - margin.outline_year)[place.owner[:].ravel()[chosen]]
            parts.append(
                (
                    logit(p) - logit(threshold_of(run, year)), margin.beyond_m[:].ravel()[chosen],
                    margin.height[:].ravel()[chosen], age, truth.of_year(year)[:].ravel()[chosen] > 0,
                )
            )  # fmt: skip
    return TruePixels(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def fit(twins: Sequence[TruePixels]) -> None:
    """Print weights and drawing error of least negative log-likelihood, and each twin's movement under them."""
    shared = np.array([0.8, 0.4, np.log(13.0)])
    for _ in range(3):
        own = [fit_movement(shared, twin) for twin in twins]
        shared = fit_shared(shared, own, twins)
    front, head, drawn = shared[0], shared[1], np.exp(shared[2])
    print(f"\nfitted: weight at the front {front:.2f}, at the head {head:.2f}, drawing error {drawn:.1f} m")


def fit_movement(shared: Float64Array, twin: TruePixels) -> Float64Array:
    """Return retreat (m a year) and the logarithm of its spread of least cost for one twin."""

    def of_twin(own: Float64Array) -> float:
        return cost(shared, own, twin)

    return np.asarray(minimize(of_twin, np.array([3.0, 0.0])).x)


def fit_shared(start: Float64Array, own: Sequence[Float64Array], twins: Sequence[TruePixels]) -> Float64Array:
    """Return weight at the front, at the head, and the logarithm of the drawing error, of least cost over all twins."""

    def total(shared: Float64Array) -> float:
        return sum(cost(shared, values, twin) for values, twin in zip(own, twins, strict=True))

    return np.asarray(minimize(total, start).x)


def cost(shared: Float64Array, own: Float64Array, twin: TruePixels) -> float:
    """Return the mean negative log-likelihood of the truth, in nats a pixel."""
    moved = np.exp(-DECAY * twin.height) * twin.age
    image = (shared[0] + (shared[1] - shared[0]) * twin.height) * twin.log_odds
    outline = -(twin.beyond_m + own[0] * moved) / np.hypot(np.exp(shared[2]), np.exp(own[1]) * moved)
    signed = np.where(twin.glacier, 1, -1) * (image + outline)
    return float(np.logaddexp(0, -signed).mean())


def _coverage(scores: Sequence[TwinScores], factor: float) -> str:
    """Return the share of the years within `factor` sigma, with a 95 % bootstrap interval over terrains, in words."""
    terrains = sorted({score.terrain for score in scores})
    years_of = [
        [value for score in scores if score.terrain == terrain for value in score.standardised] for terrain in terrains
    ]
    held = np.array([(sum(abs(value) <= factor for value in years), len(years)) for years in years_of])
    drawn = held[np.random.default_rng(0).integers(0, len(terrains), (DRAWS, len(terrains)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    within, years = held.sum(axis=0)
    return f"{100 * within / years:.1f} % of {years} years (95 %: {100 * low:.0f} to {100 * high:.0f})"


def _line(score: TwinScores) -> str:
    pairs = zip(("outline", "image", "product"), score.iou, score.error_pct, strict=True)
    return ", ".join(f"{name} {iou:.3f} {error:.1f} %" for name, iou, error in pairs)


if __name__ == "__main__":
    raise SystemExit(main())
