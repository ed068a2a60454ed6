"""Do the intervals contain the truth as often as they say? One model, trained once, on twins with new seeds.

    python -m bench.coverage [--twins 200] [--folder DIR] [--quick]

Units are glacier-years: the ice of one glacier in one year, over the observed pixels, against the true surface over
the same pixels. Glaciers and years of one twin share weather, model and terrain, so that the uncertainty of the
coverage is a bootstrap over twins (Field and Welsh 2007), not over units.

Two kinds of intervals are tested: as the model states them (its factors rest on few held-out blocks of its one site),
and with conformal factors fitted on twins. Each twin is tested with factors from the twins of the nine other folds
(cross-conformal, Vovk 2015), never from itself; the factors from all twins are those for `area.interval_factors`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from bench.twins import make_twin, make_twins
from sandbox import twin_site
from stages.area.contract import CONTRACT as AREA
from stages.area.error.interval import COVERED
from stages.area.map.surface import grow_zones, zonal_area_km2
from stages.area.measure import measure
from stages.area.site import read_map
from stages.area.year.truth import read_truth
from stages.common.geo.raster import read_band, read_grid
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.params.schema import load_params
from stages.common.run.records import file_md5, read_document, read_rows
from stages.common.tables.area import AreaSeries, GlacierAreaRow
from stages.common.tables.labels import GlacierRow
from stages.common.types import Float64Array
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from stages.predict.contract import CONTRACT as PREDICT
from stages.predict.predict import predict
from versions.starting_model.twins import run_in_process

TRAINING_SEED, TEST_SEED = 1, 1000
TRAINING_YEARS = [2016, 2018, 2020, 2023]
YEARS = [2016, 2024]
NOMINAL = (COVERED[68], COVERED[95])
"""Nominal coverage of the intervals; that of 68 % is one standard deviation of a normal error."""
MAX_HALF_WIDTHS = (0.06, 0.04)
"""Largest half width of the bootstrap interval of each coverage."""
MIN_GLACIER_KM2 = 0.1
"""Smallest glacier that is tested: 40 pixels of 50 m."""
DRAWS = 4000
FOLDS = 10


@dataclass(frozen=True)
class Unit:
    """One glacier in one year."""

    twin: int
    """Seed of its twin."""
    error_km2: float
    """Mapped area minus true area."""
    sigma_delineation_km2: float
    sigma_model_km2: float
    half_68_km2: float
    """Upper end of the stated 68 % interval minus the mapped area."""
    half_95_km2: float
    """Upper end of the stated 95 % interval minus the mapped area."""


def main() -> int:
    """Print the coverage and return 0 where it is as it should be, else 1.

    Factors fitted on twins make up for any standard deviation, however wrong. So in the quick run, which can show
    only that the coverage is too small, the intervals as the model states them must pass too.
    """
    arguments = parse_arguments()
    model = train_once(arguments.folder, quick=arguments.quick)
    units = units_of(arguments.folder, range(TEST_SEED, TEST_SEED + arguments.twins), model)
    print(f"\n{len(units)} glacier-years of {arguments.twins} twins")
    stated = [
        coverage(units, half_widths=[u.half_68_km2 if level == NOMINAL[0] else u.half_95_km2 for u in units])
        for level in NOMINAL
    ]
    fitted = [coverage(units, half_widths=cross_fitted(units, level)) for level in NOMINAL]
    factors = [conformal_factor(units, level) for level in NOMINAL]
    for name, rows in (("as the model states them", stated), ("with fitted factors", fitted)):
        for level, (share, low, high) in zip(NOMINAL, rows, strict=True):
            interval = f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
            print(f"  {name:<26} {100 * level:.0f} %: {100 * share:.1f} % covered {interval}")
    print(f"  area.interval_factors: [{factors[0]:.2f}, {factors[1]:.2f}]")
    results = {"twins": arguments.twins, "units": len(units), "factors": factors, "stated": stated, "fitted": fitted}
    (arguments.folder / "coverage.json").write_text(json.dumps(results))
    tested = [stated, fitted] if arguments.quick else [fitted]
    return 0 if all(is_as_stated(rows, quick=arguments.quick) for rows in tested) else 1


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", type=int, default=200, help="number of new twins to test")
    parser.add_argument(
        "--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="folder of the twins, kept and used again"
    )
    parser.add_argument("--quick", action="store_true", help="train shorter; fail only where the coverage is too small")
    return parser.parse_args()


def train_once(folder: Path, *, quick: bool) -> Path:
    """Train on the first seed's twin, unless that is done already, and return the folder of the model."""
    site = make_twin(folder / "twins" / str(TRAINING_SEED), TRAINING_SEED, range(2016, 2025))
    with contextlib.chdir(site):
        if not Path("artifacts/train").exists():
            lengthen_training(Path("params.yaml"), quick=quick)
            run_in_process(PATCHES, cut_patches, *TRAINING_YEARS)
            subprocess.run([sys.executable, "-m", "stages.train"], check=True, env=twin_site.environment())
    return site / "artifacts/train"


def lengthen_training(path: Path, *, quick: bool) -> None:
    """Set training years and length of the training in a twin's params.yaml."""
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    epochs, steps = (8, 20) if quick else (30, 40)
    params["training_years"] = TRAINING_YEARS
    params["train"] |= {"epochs": epochs, "patience_epochs": epochs, "steps_per_epoch": steps}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def units_of(folder: Path, seeds: Sequence[int], model: Path) -> list[Unit]:
    """Map the twins by the model and return their glacier-years."""
    sites = make_twins(folder / "twins", seeds, YEARS)
    return [unit for seed, site in zip(seeds, sites, strict=True) for unit in map_twin(site, seed, model)]


def map_twin(site: Path, seed: int, model: Path) -> list[Unit]:
    """Run predict and area in a twin, unless that is done already, and compare each glacier-year with the truth."""
    years = load_params(site / "params.yaml").years
    with contextlib.chdir(site):
        if not is_mapped_by(model / "model.onnx"):
            shutil.rmtree("artifacts/train", ignore_errors=True)
            shutil.copytree(model, "artifacts/train")
            Path("metrics").mkdir(exist_ok=True)
            run_in_process(PREDICT, predict, *years)
            run_in_process(AREA, measure)
        table = read_document(Path("artifacts/area/series.json"), AreaSeries).glaciers
        rows = {(row.year, row.rgi_id): row for row in table}
        return [
            unit_of(seed, rows[year, glacier.rgi_id], true_km2[glacier.glacier_index])
            for year in YEARS
            for true_km2 in [true_areas_km2(year)]
            for glacier in read_rows(Path("artifacts/labels/glaciers.csv"), GlacierRow)
            if glacier.outline_area_km2 >= MIN_GLACIER_KM2
        ]


def is_mapped_by(model: Path) -> bool:
    """Return whether this model's areas of the site exist already."""
    path = Path("artifacts/area/series.json")
    return path.exists() and read_document(path, AreaSeries).years[0].model_md5 == file_md5(model)


def unit_of(seed: int, row: GlacierAreaRow, true_km2: float) -> Unit:
    """Return the error of a glacier-year and its stated interval."""
    assert row.area_high_km2 is not None
    assert row.area_high95_km2 is not None
    return Unit(
        twin=seed,
        error_km2=row.area_km2 - float(true_km2),
        sigma_delineation_km2=row.sigma_delineation_km2 or 0.0,
        sigma_model_km2=row.sigma_model_km2 or 0.0,
        half_68_km2=row.area_high_km2 - row.area_km2,
        half_95_km2=row.area_high95_km2 - row.area_km2,
    )


def true_areas_km2(year: int) -> Float64Array:
    """Measure the true ice over the observed pixels by the glacier it is assigned to, (1 + glaciers,), km2."""
    labels = Path("artifacts/labels/glacier_id.tif")
    grid, ids, params = read_grid(labels), read_band(labels), load_params()
    owner = grow_zones(ids, distance_px=params.area.assign_distance_m / grid.pixel_size_m)
    _, observed = read_map(Path(f"artifacts/predict/{year}/mask.tif"), Path(f"artifacts/prepare/{year}/valid.tif"))
    truth = read_truth(Path("data/truth/truth.json"), Path("data/truth/surface.tif"))
    assert truth is not None
    aoi = pixels_inside(read_polygons(Path("data/aoi.gpkg"), grid.crs).geometry, grid)
    ice = (truth.of_year(year)[:] > 0) & observed & aoi
    return zonal_area_km2(grid, owner, lambda rows: {"true": ice[rows]}, n_zones=int(ids.max()) + 1)["true"]


def widened_half_width(unit: Unit, level: float, factor: float) -> float:
    """Return half of the interval at `level`, km2: delineation by the normal quantile, model error by `factor`."""
    z = float(stats.norm.ppf((1 + level) / 2))
    return math.hypot(z * unit.sigma_delineation_km2, factor * unit.sigma_model_km2)


def cross_fitted(units: Sequence[Unit], level: float) -> list[float]:
    """Return half of each unit's interval, km2, with the factor from the twins of the other folds."""
    factors = {
        fold: conformal_factor([unit for unit in units if unit.twin % FOLDS != fold], level)
        for fold in {unit.twin % FOLDS for unit in units}
    }
    return [widened_half_width(unit, level, factors[unit.twin % FOLDS]) for unit in units]


def conformal_factor(units: Sequence[Unit], level: float) -> float:
    """Find the smallest factor on the model's error with which the intervals contain the truth of `level` of the units.

    A unit's score is the factor with which its interval would just reach the truth. The factor is the conformal
    quantile of the scores (Vovk et al. 2005), counted in twins: twins are exchangeable, their glaciers are not.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    scores = [
        math.sqrt(max(u.error_km2**2 - (z * u.sigma_delineation_km2) ** 2, 0.0)) / max(u.sigma_model_km2, 1e-9)
        for u in units
    ]
    twins = len({u.twin for u in units})
    return float(np.quantile(scores, min(level * (1 + 1 / twins), 1.0)))


def coverage(units: Sequence[Unit], *, half_widths: Sequence[float]) -> tuple[float, float, float]:
    """Return the share of units whose interval contains the truth, and its 95 % interval, a bootstrap over twins."""
    inside = np.array([abs(u.error_km2) <= half for u, half in zip(units, half_widths, strict=True)], dtype=float)
    twins, owner = np.unique([u.twin for u in units], return_inverse=True)
    hits, counts = np.bincount(owner, weights=inside), np.bincount(owner)
    draws = np.random.default_rng(0).integers(0, len(twins), size=(DRAWS, len(twins)))
    shares = hits[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(inside.mean()), float(low), float(high)


def is_as_stated(rows: Sequence[tuple[float, float, float]], *, quick: bool) -> bool:
    """Return whether the interval of each coverage contains the nominal coverage and is narrow enough.

    A few twins can only show that the intervals are too narrow.
    """
    if quick:
        return all(high >= level for (_, _, high), level in zip(rows, NOMINAL, strict=True))
    return all(
        low <= level <= high and (high - low) / 2 <= max_half_width
        for (_, low, high), level, max_half_width in zip(rows, NOMINAL, MAX_HALF_WIDTHS, strict=True)
    )


if __name__ == "__main__":
    raise SystemExit(main())
