"""What an ensemble's members and the passes of a season add to the error of a change, with spreads that are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.area.change_domain.series import ChangeSeries
from stages.area.change_domain.several_maps import PassMap
from stages.common.geo.planes import Bits
from stages.common.geo.raster import write_cog
from stages.common.run.outputs import write_json
from stages.common.run.records import read_document
from stages.common.tables.change import ChangeTrend
from stages.common.tables.prepare import Pass, Passes
from tests.area.area_inputs import GRID, SURE, run_area, write_inputs, year_area
from tests.area.area_outputs import ice_of
from tests.area.change_domain.test_series import PIXEL_KM2, SEEN, YEARS, ellipse, planted, series, trend_of

FRONT_KM2 = np.pi / 4 * 80 * PIXEL_KM2
"""Ice of a front that is a pixel further down."""
ALL_SEEN = Bits.of(SEEN)


def retreating(
    members: Callable[[int, np.ndarray], list[np.ndarray]] = lambda year, ice: [],
    passes: Callable[[int, np.ndarray], list[PassMap]] = lambda year, ice: [],
) -> ChangeTrend:
    """The trend of nine years in which the front goes back by 2 px a year, with other maps of each year."""
    collected: ChangeSeries = series({})
    for year, ice in planted(-2.0).items():
        collected.add(
            year_area(year, float(ice.sum()) * PIXEL_KM2), ice=ice, observed=ALL_SEEN,
            members=(Bits.of(member) for member in members(year, ice)), passes=passes(year, ice),
        )  # fmt: skip
    return collected.trend(collected.fit())


def half(trend: ChangeTrend) -> float:
    return ((trend.slope_high_km2_per_year or 0) - (trend.slope_low_km2_per_year or 0)) / 2


def test_members_that_disagree_about_the_trend_widen_its_interval() -> None:
    """Three members whose fronts go back by 1, 2 and 3 px a year: their mean is known to 1 / sqrt 3 px a year."""
    alone = retreating()
    trend = retreating(lambda year, ice: [ellipse(rate * (year - 2020) + year % 2) for rate in (-1.0, -2.0, -3.0)])
    expected = FRONT_KM2 / np.sqrt(3)
    assert trend.sigma_members_km2_per_year == pytest.approx(expected, rel=0.05)
    assert trend.slope_km2_per_year == alone.slope_km2_per_year
    assert trend.slope_se_km2_per_year == pytest.approx(np.hypot(alone.slope_se_km2_per_year or 0, expected), rel=0.05)
    assert half(trend) > half(alone)


def test_members_that_agree_add_nothing() -> None:
    alone, trend = retreating(), retreating(lambda year, ice: [ice, ice])
    assert alone.sigma_members_km2_per_year is None
    assert trend.sigma_members_km2_per_year == pytest.approx(0, abs=1e-12)
    assert half(trend) == pytest.approx(half(alone))


def test_the_passes_of_a_season_say_what_the_error_of_a_year_is_at_least() -> None:
    """Two passes whose fronts lie 6 px apart: a pass has a standard deviation of 6 / sqrt 2 px."""

    def passes(year: int, ice: np.ndarray) -> list[PassMap]:
        later = ellipse(-2.0 * (year - 2020) + year % 2 + 6)
        return [PassMap(Bits.of(each), ALL_SEEN) for each in (ice, later)]

    alone, trend = retreating(), retreating(passes=passes)
    expected = 6 / np.sqrt(2) * FRONT_KM2
    assert trend.sigma_passes_km2 == pytest.approx(expected, rel=0.05)
    assert trend.sigma_own_km2 == trend.sigma_passes_km2
    assert (alone.sigma_own_km2 or 0) < expected / 3
    assert half(trend) > 2 * half(alone)


def test_passes_that_agree_better_than_the_years_leave_their_scatter() -> None:
    alone = retreating()
    trend = retreating(passes=lambda year, ice: [PassMap(Bits.of(ice), ALL_SEEN)] * 2)
    assert (trend.sigma_passes_km2, trend.sigma_own_km2) == (0, alone.sigma_own_km2)


def test_passes_that_have_seen_little_of_the_ice_together_say_nothing() -> None:
    upper = Bits.of(np.arange(200)[:, None] * np.ones(200) < 35)
    trend = retreating(passes=lambda year, ice: [PassMap(Bits.of(ice) & upper, upper), PassMap(Bits.of(ice), ALL_SEEN)])
    assert trend.sigma_passes_km2 is None


def test_other_maps_are_read_from_the_files_of_a_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two members, and of two passes, maps a front that is shorter, and ever more so."""
    monkeypatch.chdir(tmp_path)
    whole = ice_of()
    rows = np.flatnonzero(whole.any(axis=1))
    shorter = {year: whole * (np.arange(GRID.height)[:, None] < rows[-1] - 2 * (year - 2016)) for year in YEARS[:5]}
    write_inputs(Path(), dict.fromkeys(shorter, whole), model=SURE.model_copy(update={"members": 2}))
    for year, other in shorter.items():
        votes = (whole + 2 * other).astype(np.uint16)
        write_cog(Path(f"artifacts/predict/{year}/votes.tif"), votes, GRID, nodata=None)
        passes = [
            Pass(number=number, date=f"{year}-10-0{number}", relative_orbit=19, scene_ids=["s"], valid_fraction=1)
            for number in (1, 2)
        ]
        write_json(Path(f"artifacts/prepare/{year}/passes.json"), Passes(year=year, passes=passes))
        masks = np.array([whole, other]).astype(np.uint8)
        write_cog(Path(f"artifacts/predict/{year}/passes.tif"), masks, GRID, nodata=255)
    assert run_area() == 0
    trend = read_document(Path("artifacts/area/change_trend.json"), ChangeTrend)
    gone_km2 = np.array([(whole.astype(bool) & (other == 0)).sum() * 0.0009 for other in shorter.values()])
    slope = np.polyfit(np.arange(5), -gone_km2, 1)[0]
    assert trend.sigma_members_km2_per_year == pytest.approx(abs(slope) / 2, rel=0.03)
    assert trend.sigma_passes_km2 == pytest.approx(np.sqrt((gone_km2**2 / 2).mean()), rel=0.03)


def test_a_series_without_other_maps_is_as_before() -> None:
    trend = trend_of(planted(-2.0))
    assert (trend.sigma_members_km2_per_year, trend.sigma_passes_km2) == (None, None)
