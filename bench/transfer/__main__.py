"""What a planted change becomes in the change product: the transfer function on twins of terrain new to the model.

    python -m bench.transfer [--still 37] [--changed 37] [--debris 4] [--model SITE] [--folder DIR] [--make] [--csv CSV]

Terrains are simulated at 10 m over 8 x 8 km and nine years: the first `--still` without change, the first `--changed`
also with a planted change, in turn -1 (the front goes back by 5.4 % of the glacier's length in 24 years), -2 and +1
(advance). On the first `--debris` debris grows over ice ten times as fast, and nothing else changes. Half of the twins
have a year of early snow, which may be the first or the last; some have a cloudy year. The model of `--model`, a
finished site (the demo), maps them all; it is not trained again. Areas differ, so slopes are given for 60 km2 of ice.

Twins are kept in DIR/twins, and what a model makes of them in DIR/maps: another `--model` maps the same twins without
simulating them again. `--make` makes the twins alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from tqdm import tqdm

from bench.transfer.twins import DEBRIS, make_twin, map_twin, maps_of, twins_of
from stages.common.run.outputs import write_table
from stages.common.run.records import read_document
from stages.common.tables.area import AreaMetrics, Trend
from stages.common.tables.base import Record
from stages.common.tables.change import ChangeTrend
from stages.common.types import Float64Array

PER_ICE_KM2 = 60.0


class Twin(Record):
    """Mapped and true slope of one twin, km2 a year for `PER_ICE_KM2` of ice."""

    name: str
    planted: int
    true: float
    mapped: float
    low: float
    high: float
    """Ends of the 95 % interval; ice beyond the domain widens it on one side."""
    se: float
    own_se: float
    minimum: float
    detectable: bool
    outlines: float
    """Slope of the common area of the yearly outlines."""
    outlines_detectable: bool

    @property
    def terrain(self) -> str:
        """Name of the terrain."""
        return self.name.split("_", maxsplit=1)[0]

    @property
    def has_growing_debris(self) -> bool:
        """Whether debris grows over its ice, and nothing else changes."""
        return self.name.endswith(DEBRIS)

    @property
    def error(self) -> float:
        """Mapped less true slope."""
        return self.mapped - self.true

    @property
    def inside(self) -> bool:
        """Whether the 95 % interval holds the true slope."""
        return self.low <= self.true <= self.high


def main() -> int:
    """Print each twin and what they say together; always return 0: these are figures, not a test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--still", type=int, default=37, help="number of terrains without change")
    parser.add_argument("--changed", type=int, default=37, help="number of terrains with a planted change")
    parser.add_argument("--debris", type=int, default=4, help="number of terrains on which debris alone changes")
    parser.add_argument("--model", type=Path, default=Path(), help="finished site whose model maps the twins")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/glacier-transfer"), help="twins, kept and used again")
    parser.add_argument("--make", action="store_true", help="make the twins, and map nothing")
    parser.add_argument("--csv", type=Path, help="table of the twins to write")
    arguments = parser.parse_args()
    kinds = twins_of(arguments.still, arguments.changed, arguments.debris)
    twins: list[Twin] = []
    for seed, planted, debris in tqdm(kinds, unit="twin", disable=None):
        made = make_twin(arguments.folder, seed, planted, debris=debris)
        if not arguments.make:
            maps = maps_of(arguments.folder, arguments.model)
            twins.append(read_twin(map_twin(made, arguments.model, maps), planted))
    if twins:
        report([twin for twin in twins if not twin.has_growing_debris])
        report_debris(twins)
    if arguments.csv:
        write_table(arguments.csv, [rounded(twin) for twin in twins], Twin)
    return 0


def rounded(twin: Twin) -> Twin:
    """Return a twin whose numbers have four decimals."""
    values = {name: round(value, 4) for name, value in twin.model_dump().items() if isinstance(value, float)}
    return twin.model_copy(update=values)


def read_twin(site: Path, planted: int) -> Twin:
    """Read the slopes of a measured twin."""
    change = read_document(site / "artifacts/area/change_trend.json", ChangeTrend)
    outlines = read_document(site / "artifacts/area/trend.json", Trend)
    truth = read_document(site / "metrics/area.json", AreaMetrics).change
    assert truth is not None
    assert truth.true_slope_km2_per_year is not None
    assert change.slope_low_km2_per_year is not None
    assert change.slope_high_km2_per_year is not None
    scale = PER_ICE_KM2 / (change.first_area_km2 or PER_ICE_KM2)
    return Twin(
        name=site.name,
        planted=planted,
        true=scale * truth.true_slope_km2_per_year,
        mapped=scale * truth.slope_km2_per_year,
        low=scale * change.slope_low_km2_per_year,
        high=scale * change.slope_high_km2_per_year,
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
            f"{twin.name}: true {twin.true:+.3f}, mapped {twin.mapped:+.3f} ({twin.low:+.3f} to {twin.high:+.3f}), "
            f"detectable {twin.minimum:.3f}{mark}; outlines {twin.outlines:+.3f}"
        )
    still = [twin for twin in twins if twin.planted == 0]
    terrains = len({twin.terrain for twin in twins})
    print(f"\n{len(twins)} twins of {terrains} terrains; km2 a year for {PER_ICE_KM2:.0f} km2 of ice")
    print(
        f"no change, called detectable: {share([twin.detectable for twin in still])}; by the common area of the ",
        end="",
    )
    print(f"outlines: {share([twin.outlines_detectable for twin in still])}")
    print(f"interval holds the true slope: {share([twin.inside for twin in twins])}")
    for planted in sorted({twin.planted for twin in twins} - {0}):
        group = [twin for twin in twins if twin.planted == planted]
        ratio = np.median([twin.mapped / twin.true for twin in group])
        print(f"planted {planted:+d}: detected {share([twin.detectable for twin in group])}, ", end="")
        print(f"mapped over true slope, median: {ratio:.2f}")
    print(f"detectable change, median: {np.median([twin.minimum for twin in twins]):.3f}")
    of_change, of_outlines = rms(errors_of(twins)), rms([twin.outlines - twin.true for twin in twins])
    print(f"error of the slope: mean {np.mean(errors_of(twins)):+.3f}, root mean square {of_change:.3f} ", end="")
    print(f"(common area of the outlines: {of_outlines:.3f})")
    drift, gain_sigma = shared_errors([twin for twin in twins if twin.planted <= 0])
    print(
        f"without advances, one sigma: drift of the shared error {100 * drift / PER_ICE_KM2:.3f} % of the ice a year",
        end="",
    )
    print(f", spread of mapped over true slope {gain_sigma:.3f}")
    for name, group in (("retreat and none", [twin for twin in twins if twin.planted <= 0]), ("all", list(twins))):
        print(f"{name}: {transfer(group)}; changed less unchanged twin of a terrain: {gain_of_pairs(group)}")


def report_debris(twins: Sequence[Twin]) -> None:
    """Print what growing debris alone makes of the slope: each twin, and less the twin of its terrain without it."""
    same = {twin.terrain: twin for twin in twins if twin.planted == 0 and not twin.has_growing_debris}
    group = [twin for twin in twins if twin.has_growing_debris and twin.terrain in same]
    if not group:
        return
    for twin in group:
        print(f"{twin.name}: true {twin.true:+.3f}, mapped {twin.mapped:+.3f} ({twin.low:+.3f} to {twin.high:+.3f})")
    print(
        f"debris alone, called detectable: {share([twin.detectable for twin in group])}; slope less that of the same ",
        end="",
    )
    print(f"terrain without it, mean: {np.mean([twin.mapped - same[twin.terrain].mapped for twin in group]):+.3f}")


def share(holds: Sequence[bool]) -> str:
    """Return how many of them hold, with the 95 % interval of their share (Clopper and Pearson 1934), in words."""
    if not holds:
        return "0 of 0"
    interval = stats.binomtest(sum(holds), len(holds)).proportion_ci(0.95)
    return f"{sum(holds)} of {len(holds)} (95 %: {100 * interval.low:.0f} to {100 * interval.high:.0f} %)"


def errors_of(twins: Sequence[Twin]) -> list[float]:
    """Return mapped less true slopes."""
    return [twin.error for twin in twins]


def rms(errors: Sequence[float]) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


def shared_errors(twins: Sequence[Twin]) -> tuple[float, float]:
    """Return the drift of the shared error, km2 a year, and the spread of mapped over true slope, one sigma each.

    Those of the greatest likelihood, where errors are normal with the variance own^2 + drift^2 + (spread x true)^2.
    """
    error, own, true = (np.array([getattr(twin, name) for twin in twins]) for name in ("error", "own_se", "true"))

    def unlikelihood(logarithms: Float64Array) -> float:
        drift, spread = np.exp(logarithms)
        variance = own**2 + drift**2 + (spread * true) ** 2
        return float(np.sum(np.log(variance) + error**2 / variance))

    starts = [np.log([drift, spread]) for drift in (0.01, 0.05, 0.1) for spread in (0.05, 0.2, 0.4)]
    fits = [optimize.minimize(unlikelihood, start, method="Nelder-Mead") for start in starts]
    drift, spread = np.exp(min(fits, key=lambda fit: fit.fun).x)
    return float(drift), float(spread)


def transfer(twins: Sequence[Twin]) -> str:
    """Return gain and intercept of mapped against true slopes with their 95 % intervals, in words.

    The two twins of a terrain err alike, so that the intervals count terrains (sandwich of Liang and Zeger 1986).
    """
    terrains = sorted({twin.terrain for twin in twins})
    if len(terrains) < 3 or len({twin.planted for twin in twins}) < 2:
        return "too few twins"
    design = np.array([[twin.true, 1.0] for twin in twins])
    mapped = np.array([twin.mapped for twin in twins])
    bread = np.linalg.inv(design.T @ design)
    line = bread @ design.T @ mapped
    scores = design * (mapped - design @ line)[:, None]
    of_terrains = np.array([scores[[twin.terrain == terrain for twin in twins]].sum(axis=0) for terrain in terrains])
    count = len(terrains)
    variances = np.diag(bread @ of_terrains.T @ of_terrains @ bread) * count / (count - 1)
    halves = float(stats.t.ppf(0.975, count - 1)) * np.sqrt(variances)
    gain, intercept = f"{line[0]:.2f} ± {halves[0]:.2f}", f"{line[1]:+.3f} ± {halves[1]:.3f}"
    return f"gain {gain}, intercept {intercept} ({len(twins)} twins of {count} terrains)"


def gain_of_pairs(twins: Sequence[Twin]) -> str:
    """Return in words the gain of the changed less the unchanged twin of each terrain: what the two share falls out."""
    still = {twin.terrain: twin for twin in twins if twin.planted == 0}
    pairs = [(twin, still[twin.terrain]) for twin in twins if twin.planted and twin.terrain in still]
    if len(pairs) < 3:
        return "too few twins"
    true = np.array([changed.true - same.true for changed, same in pairs])
    mapped = np.array([changed.mapped - same.mapped for changed, same in pairs])
    gain = float(true @ mapped / (true @ true))
    deviations = true * (mapped - gain * true)
    count = len(pairs)
    variance = float(deviations @ deviations) / float(true @ true) ** 2 * count / (count - 1)
    half = float(stats.t.ppf(0.975, count - 1)) * variance**0.5
    single = mapped / true
    return f"gain {gain:.2f} ± {half:.2f} ({count} pairs, from {single.min():.2f} to {single.max():.2f})"


if __name__ == "__main__":
    raise SystemExit(main())
