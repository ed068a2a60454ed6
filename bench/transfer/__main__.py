"""What a planted change becomes in the change product: the transfer function on twins of terrain new to the model.

    python -m bench.transfer [--still 25] [--changed 25] [--model SITE] [--folder DIR]

Terrains are simulated at 10 m over 8 x 8 km and nine years: the first `--still` without change, the first `--changed`
also with a planted change, in turn -1 (the front goes back by 5.4 % of the glacier's length in 24 years), -2 and +1
(advance). Half of the twins have a year of early snow, which may be the first or the last; some have a cloudy year. The
model of `--model`, a finished site (the demo), maps them all; it is not trained again. Areas differ, so slopes are
given for 60 km2 of ice.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from tqdm import tqdm

from bench.twins import make_site, run_in_process
from sandbox import twin_site
from stages.area.contract import CONTRACT as AREA
from stages.area.measure import measure
from stages.common.run.records import read_document
from stages.common.tables.area import AreaMetrics, Trend
from stages.common.tables.change import ChangeTrend
from stages.ingest.sources.twin.change import OUTLINE_YEAR, ROOM_TO_ADVANCE
from stages.ingest.sources.twin.landscape import make_landscape
from stages.predict.contract import CONTRACT as PREDICT
from stages.predict.predict import predict

YEARS = list(range(2016, 2025))
FIRST_SEED, SIDE_M, MARGIN_M, PIXEL_M = 101, 8000, 1000, 10
PLANTED = (1, -1, -2, -1)
"""Planted change of a terrain, by seed, in parts of `STEP`."""
STEP = 0.9 * ROOM_TO_ADVANCE
"""Part of the main glacier's length by which its front moves from the year of the outlines to the last year."""
PER_ICE_KM2 = 60.0


@dataclass(frozen=True)
class Twin:
    """Mapped and true slope of one twin, km2 a year for `PER_ICE_KM2` of ice."""

    name: str
    planted: int
    true: float
    mapped: float
    half: float
    se: float
    own_se: float
    minimum: float
    detectable: bool
    outlines: float
    """Slope of the common area of the yearly outlines."""
    outlines_detectable: bool

    @property
    def error(self) -> float:
        """Mapped less true slope."""
        return self.mapped - self.true

    @property
    def inside(self) -> bool:
        """Whether the 95 % interval holds the true slope."""
        return abs(self.error) <= self.half


def main() -> int:
    """Print each twin and what they say together; always return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--still", type=int, default=25, help="number of terrains without change")
    parser.add_argument("--changed", type=int, default=25, help="number of terrains with a planted change")
    parser.add_argument("--model", type=Path, default=Path(), help="finished site whose model maps the twins")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-transfer"), help="twins, kept and used again")
    arguments = parser.parse_args()
    model = (arguments.model / "artifacts/train").resolve()
    still = [(FIRST_SEED + number, 0) for number in range(arguments.still)]
    changed = [(seed, PLANTED[seed % len(PLANTED)]) for seed in range(FIRST_SEED, FIRST_SEED + arguments.changed)]
    twins = [
        map_twin(arguments.folder, seed, planted, model) for seed, planted in tqdm([*still, *changed], disable=None)
    ]
    report(twins)
    return 0


def map_twin(folder: Path, seed: int, planted: int, model: Path) -> Twin:
    """Make, map and measure a twin, unless that is done already, and read its slopes."""
    name = f"s{seed}_{planted:+d}"
    site = folder / name
    if not (site / "done").exists():
        simulate(site, seed, planted, model)
    with contextlib.chdir(site):
        if not Path("artifacts/area/change_trend.json").exists():
            run_in_process(AREA, measure)
    return read_twin(site, name, planted)


def simulate(site: Path, seed: int, planted: int, model: Path) -> None:
    """Make a twin, and map it by a model; its scenes are not kept."""
    make_site(site, site_params(seed, planted), YEARS)
    with contextlib.chdir(site):
        shutil.copytree(model, "artifacts/train")
        Path("metrics").mkdir(exist_ok=True)
        run_in_process(PREDICT, predict, *YEARS)
    shutil.rmtree(site / "data/scenes")
    (site / "done").touch()


def site_params(seed: int, planted: int) -> dict[str, object]:
    """Return params.yaml of a twin; the planted rate is in proportion to the length of its main glacier."""
    side_px = (SIDE_M + 2 * MARGIN_M) // PIXEL_M
    main_glacier = make_landscape(seed, (side_px, side_px), float(PIXEL_M)).glaciers[0]
    rate = -planted * STEP * main_glacier.length_m / (YEARS[-1] - OUTLINE_YEAR)
    chance = random.Random(seed * 10 + planted)
    snowy = [chance.choice(YEARS)] if chance.random() < 0.5 else []
    cloudy = [chance.choice([year for year in YEARS if year not in snowy])] if chance.random() < 0.3 else []
    content = twin_site.params(
        YEARS, seed=seed, retreat_m_per_year=rate, early_snow_years=snowy, cloudy_years=cloudy,
        debris_growth_km2_per_year=0.02,
    )  # fmt: skip
    left, bottom = twin_site.LEFT, twin_site.BOTTOM
    content["grid"]["pixel_size_m"] = PIXEL_M
    content["ingest"]["aoi"]["bounds"] = [left, bottom, left + SIDE_M, bottom + SIDE_M]
    content["prepare"]["coregister"] = {}
    content["labels"] = {"boundary_ignore_m": 40, "terminus_ignore_m": 400}
    return content


def read_twin(site: Path, name: str, planted: int) -> Twin:
    """Read the slopes of a measured twin."""
    change = read_document(site / "artifacts/area/change_trend.json", ChangeTrend)
    outlines = read_document(site / "artifacts/area/trend.json", Trend)
    truth = read_document(site / "metrics/area.json", AreaMetrics).change
    assert truth is not None
    assert truth.true_slope_km2_per_year is not None
    assert change.slope_high_km2_per_year is not None
    scale = PER_ICE_KM2 / (change.first_area_km2 or PER_ICE_KM2)
    return Twin(
        name=name,
        planted=planted,
        true=scale * truth.true_slope_km2_per_year,
        mapped=scale * truth.slope_km2_per_year,
        half=scale * (change.slope_high_km2_per_year - truth.slope_km2_per_year),
        se=scale * (change.slope_se_km2_per_year or 0.0),
        own_se=scale * (change.own_se_km2_per_year or 0.0),
        minimum=scale * truth.minimum_detectable_km2_per_year,
        detectable=truth.detectable,
        outlines=scale * (outlines.slope_km2_per_year or 0.0),
        outlines_detectable=bool(outlines.detectable),
    )


def report(twins: Sequence[Twin]) -> None:
    """Print a line for each twin, and the transfer function."""
    for twin in twins:
        mark = "" if twin.inside else "  MISSED"
        print(
            f"{twin.name}: true {twin.true:+.3f}, mapped {twin.mapped:+.3f} ± {twin.half:.3f}, detectable "
            f"{twin.minimum:.3f}{mark}; outlines {twin.outlines:+.3f}"
        )
    still = [twin for twin in twins if twin.planted == 0]
    print(f"\n{len(twins)} twins; km2 a year for {PER_ICE_KM2:.0f} km2 of ice")
    print(f"no change, called detectable: {sum(twin.detectable for twin in still)} of {len(still)} ", end="")
    print(f"(common area of the outlines: {sum(twin.outlines_detectable for twin in still)})")
    print(f"interval holds the true slope: {sum(twin.inside for twin in twins)} of {len(twins)}")
    print(f"detectable change, median: {np.median([twin.minimum for twin in twins]):.3f}")
    print(f"error of the slope: mean {np.mean(errors_of(twins)):+.3f}, sd {np.std(errors_of(twins), ddof=1):.3f}")
    print(f"drift of the shared error, one sigma: {100 * drift(twins) / PER_ICE_KM2:.3f} % of the ice a year")
    for name, group in (("retreat and none", [twin for twin in twins if twin.planted <= 0]), ("all", list(twins))):
        print(f"{name}: {transfer(group)}")


def errors_of(twins: Sequence[Twin]) -> list[float]:
    """Return mapped less true slopes."""
    return [twin.error for twin in twins]


def drift(twins: Sequence[Twin]) -> float:
    """Return one sigma of the slopes' errors that the years' own errors do not explain; an advance is left out.

    It makes the mean of error^2 / (own^2 + drift^2) one (Paule and Mandel 1982), 0 where the mean is below one without.
    """
    used = [twin for twin in twins if twin.planted <= 0]

    def excess(sigma: float) -> float:
        return float(np.mean([twin.error**2 / (twin.own_se**2 + sigma**2) for twin in used])) - 1

    return float(optimize.brentq(excess, 0.0, 1.0)) if excess(0.0) > 0 > excess(1.0) else 0.0


def transfer(twins: Sequence[Twin]) -> str:
    """Return gain and intercept of mapped against true slopes with their 95 % intervals, in words."""
    if len(twins) < 3:
        return "too few twins"
    line = stats.linregress([twin.true for twin in twins], [twin.mapped for twin in twins])
    factor = float(stats.t.ppf(0.975, len(twins) - 2))
    gain_half, intercept_half = factor * float(line.stderr), factor * float(line.intercept_stderr)
    gain = f"gain {float(line.slope):.2f} ± {gain_half:.2f}"
    return f"{gain}, intercept {float(line.intercept):+.3f} ± {intercept_half:.3f} ({len(twins)} twins)"


if __name__ == "__main__":
    raise SystemExit(main())
