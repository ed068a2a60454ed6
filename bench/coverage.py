"""Do the intervals hold what they say? One model, trained once; twins of unseen seeds; truth against interval.

    python -m bench.coverage [--twins 200] [--folder DIR] [--quick]

Units are glacier-years: the ice of one glacier in one year, over the pixels seen, against the true surface over the
same pixels. Glaciers and years of one twin share weather, model and terrain, so that the uncertainty of the coverage
is a bootstrap over twins (Field and Welsh 2007), not over units.

Told apart: the intervals as the model states them (its factors rest on few held-out blocks of its one site), and with
conformal factors fitted on twins. Each twin is tested with factors from the twins of the nine other folds
(cross-conformal, Vovk 2015), never from itself; those of all twins together are what `area.interval_factors` takes.
"""

from __future__ import annotations

import argparse
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

from bench.twins import inside, make_twin, make_twins, run
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

TRAINING_SEED, TEST_SEED = 1, 1000
TRAINING_YEARS = [2016, 2018, 2020, 2023]
YEARS = [2016, 2024]
NOMINAL = (COVERED[68], COVERED[95])
"""68 % is one standard deviation of a normal error."""
ALLOWED = (0.06, 0.04)
"""Half width that the bootstrap interval of the coverage may have."""
SMALLEST_KM2 = 0.1
"""Four pixels of 50 m are no glacier to measure."""
DRAWS = 4000
FOLDS = 10


@dataclass(frozen=True)
class Unit:
    """One glacier in one year."""

    twin: int
    error_km2: float
    """Mapped less true."""
    sigma_delineation_km2: float
    sigma_model_km2: float
    half_68_km2: float
    """Upper end of the stated interval less the mapped area."""
    half_95_km2: float


def main() -> int:
    """Exit code: 0 the coverage is as it should be, 1 it is not.

    Factors fitted on twins make up for any sigma, however wrong. So in the short run, which can show only that too
    little is covered, the intervals as the model states them must hold too.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twins", type=int, default=200, help="unseen twins that are tested")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-coverage"), help="kept, and used again")
    parser.add_argument(
        "--quick", action="store_true", help="a shorter training; fails only where too little is covered"
    )
    chosen = parser.parse_args()
    model = train_once(chosen.folder, quick=chosen.quick)
    tested = units_of(chosen.folder, range(TEST_SEED, TEST_SEED + chosen.twins), model)
    print(f"\n{len(tested)} glacier-years of {chosen.twins} twins")
    stated = [covered(tested, half=[u.half_68_km2 if level == NOMINAL[0] else u.half_95_km2 for u in tested])
              for level in NOMINAL]  # fmt: skip
    fitted = [covered(tested, half=cross_fitted(tested, level)) for level in NOMINAL]
    factors = [conformal_factor(tested, level) for level in NOMINAL]
    for name, rows in (("as the model states them", stated), ("with fitted factors", fitted)):
        for level, (share, low, high) in zip(NOMINAL, rows, strict=True):
            print(f"  {name:<26} {level:.0%}: {share:.1%} covered (95 % interval {low:.1%} to {high:.1%})")
    print(f"  area.interval_factors: [{factors[0]:.2f}, {factors[1]:.2f}]")
    (chosen.folder / "coverage.json").write_text(
        json.dumps(
            {"twins": chosen.twins, "units": len(tested), "factors": factors, "stated": stated, "fitted": fitted}
        )
    )
    judged = [stated, fitted] if chosen.quick else [fitted]
    return 0 if all(holds(rows, quick=chosen.quick) for rows in judged) else 1


def train_once(folder: Path, *, quick: bool) -> Path:
    """The folder of the one model, trained on the first seed's twin."""
    site = make_twin(folder / "twins" / str(TRAINING_SEED), TRAINING_SEED, range(2016, 2025))
    with inside(site):
        if not Path("artifacts/train").exists():
            lengthen_training(Path("params.yaml"), quick=quick)
            run(PATCHES, cut_patches, *TRAINING_YEARS)
            subprocess.run([sys.executable, "-m", "stages.train"], check=True, env=twin_site.environment())
    return site / "artifacts/train"


def lengthen_training(path: Path, *, quick: bool) -> None:
    """Set training years and length in a twin's params.yaml."""
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    epochs, steps = (8, 20) if quick else (30, 40)
    params["training_years"] = TRAINING_YEARS
    params["train"] |= {"epochs": epochs, "patience_epochs": epochs, "steps_per_epoch": steps}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def units_of(folder: Path, seeds: Sequence[int], model: Path) -> list[Unit]:
    """Glacier-years of twins, mapped by the model."""
    sites = make_twins(folder / "twins", seeds, YEARS)
    return [unit for seed, site in zip(seeds, sites, strict=True) for unit in map_twin(site, seed, model)]


def map_twin(site: Path, seed: int, model: Path) -> list[Unit]:
    """Run predict and area in a twin and hold each glacier-year against the truth."""
    years = load_params(site / "params.yaml").years
    with inside(site):
        if not mapped_by(model / "model.onnx"):
            shutil.rmtree("artifacts/train", ignore_errors=True)
            shutil.copytree(model, "artifacts/train")
            Path("metrics").mkdir(exist_ok=True)
            run(PREDICT, predict, *years)
            run(AREA, measure)
        table = read_document(Path("artifacts/area/series.json"), AreaSeries).glaciers
        rows = {(row.year, row.rgi_id): row for row in table}
        return [
            unit_of(seed, rows[year, glacier.rgi_id], true_km2[glacier.glacier_index])
            for year in YEARS
            for true_km2 in [true_areas_km2(year)]
            for glacier in read_rows(Path("artifacts/labels/glaciers.csv"), GlacierRow)
            if glacier.outline_area_km2 >= SMALLEST_KM2
        ]


def mapped_by(model: Path) -> bool:
    """Whether the site's areas are there already, from this model."""
    path = Path("artifacts/area/series.json")
    return path.exists() and read_document(path, AreaSeries).years[0].model_md5 == file_md5(model)


def unit_of(seed: int, row: GlacierAreaRow, true_km2: float) -> Unit:
    """A glacier-year's error beside its stated interval."""
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
    """(1 + glaciers,) true glacier over the pixels seen, by the glacier its ice is counted to."""
    labels = Path("artifacts/labels/glacier_id.tif")
    grid, ids, params = read_grid(labels), read_band(labels), load_params()
    owner = grow_zones(ids, distance_px=params.area.assign_distance_m / grid.pixel_size_m)
    _, seen = read_map(Path(f"artifacts/predict/{year}/mask.tif"), Path(f"artifacts/prepare/{year}/valid.tif"))
    truth = read_truth(Path("data/truth/truth.json"), Path("data/truth/surface.tif"))
    assert truth is not None
    aoi = pixels_inside(read_polygons(Path("data/aoi.gpkg"), grid.crs).geometry, grid)
    ice = (truth.of_year(year) > 0) & seen & aoi
    return zonal_area_km2(grid, owner, {"true": ice}, n_zones=int(ids.max()) + 1)["true"]


def half_width(unit: Unit, level: float, factor: float) -> float:
    """Half of the interval at `level`: delineation widened by the normal quantile, model error by `factor`."""
    z = float(stats.norm.ppf((1 + level) / 2))
    return math.hypot(z * unit.sigma_delineation_km2, factor * unit.sigma_model_km2)


def cross_fitted(units: Sequence[Unit], level: float) -> list[float]:
    """Half of each unit's interval, with the factor that the twins of the other folds give."""
    folds = [unit.twin % FOLDS for unit in units]
    factors = {
        fold: conformal_factor([unit for unit, own in zip(units, folds, strict=True) if own != fold], level)
        for fold in set(folds)
    }
    return [half_width(unit, level, factors[fold]) for unit, fold in zip(units, folds, strict=True)]


def conformal_factor(units: Sequence[Unit], level: float) -> float:
    """The least factor on the model's error with which `half_width` covers `level` of the units.

    A unit's score is the factor with which its interval would just reach the truth; the factor is the conformal
    quantile of the scores (Vovk et al. 2005), counted in twins: these are exchangeable, their glaciers are not.
    """
    z = float(stats.norm.ppf((1 + level) / 2))
    scores = [
        math.sqrt(max(u.error_km2**2 - (z * u.sigma_delineation_km2) ** 2, 0.0)) / max(u.sigma_model_km2, 1e-9)
        for u in units
    ]
    twins = len({u.twin for u in units})
    return float(np.quantile(scores, min(level * (1 + 1 / twins), 1.0)))


def covered(units: Sequence[Unit], *, half: Sequence[float]) -> tuple[float, float, float]:
    """Share of units whose interval holds the truth, with the 95 % interval of a bootstrap over twins."""
    inside_ = np.array([abs(u.error_km2) <= h for u, h in zip(units, half, strict=True)], dtype=float)
    twins, owner = np.unique([u.twin for u in units], return_inverse=True)
    hits, counts = np.bincount(owner, weights=inside_), np.bincount(owner)
    draws = np.random.default_rng(0).integers(0, len(twins), size=(DRAWS, len(twins)))
    shares = hits[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(inside_.mean()), float(low), float(high)


def holds(rows: Sequence[tuple[float, float, float]], *, quick: bool) -> bool:
    """Whether each interval of the coverage contains the nominal one and is as narrow as asked for.

    A few twins can only show that the intervals are too narrow.
    """
    if quick:
        return all(high >= level for (_, _, high), level in zip(rows, NOMINAL, strict=True))
    return all(
        low <= level <= high and (high - low) / 2 <= allowed
        for (_, low, high), level, allowed in zip(rows, NOMINAL, ALLOWED, strict=True)
    )


if __name__ == "__main__":
    raise SystemExit(main())
