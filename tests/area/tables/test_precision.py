from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.area.tables.precision import round_areas, with_all_digits
from stages.common.display.numbers import decimals_for
from stages.common.tables.area import ChangeRow


@given(st.floats(1e-5, 1e3), st.floats(0, 1e4))
def test_rounding_costs_less_than_a_tenth_of_sigma(sigma: float, area_km2: float) -> None:
    assert abs(round(area_km2, decimals_for(sigma)) - area_km2) <= max(0.051 * sigma, 5.1e-7)


def test_only_areas_are_rounded() -> None:
    row = ChangeRow(
        from_year=2016, year=2017, rgi_id="G", lost_km2=1.23456789012, gained_km2=0.004, unchanged_km2=5.0,
        unseen_km2=0.06,
    )  # fmt: skip
    shown = round_areas(row, 1)
    assert (shown.lost_km2, shown.gained_km2, shown.unseen_km2) == (1.2, 0.0, 0.1)
    assert (shown.year, shown.rgi_id) == (2017, "G")
    assert with_all_digits(row).lost_km2 == 1.23456789
