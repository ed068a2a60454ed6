"""What a region costs follows from measured rates."""

from __future__ import annotations

import pytest

from region.cost import Cost, fitted


def test_rates_of_cells_that_cost_a_fixed_part_and_a_part_a_pixel() -> None:
    mpx = [1.0, 2.0, 4.0]
    rates = fitted([3 + 5 * size for size in mpx], mpx, [1e5 * size for size in mpx], measured="here")
    assert (rates.cell_s, rates.scene_mpx_s, rates.scene_mpx_bytes) == pytest.approx((3, 5, 1e5))


@pytest.mark.parametrize("seconds", [[4.0, 4.0], [4.2, 3.8]])
def test_cells_of_one_size_have_one_rate(seconds: list[float]) -> None:
    rates = fitted(seconds, [2.0, 2.0], [1.0, 1.0], measured="here")
    assert (rates.cell_s, rates.scene_mpx_s) == pytest.approx((0, 2))


@pytest.mark.parametrize(("workers", "hours"), [(1, 12.0), (2, 6.0), (3, 5.0), (1000, 5.0)])
def test_no_number_of_workers_is_faster_than_the_largest_cell(workers: int, hours: float) -> None:
    cost = Cost(
        scenes=5,
        mpx=5.0,
        cell_hours=(1.0, 5.0, 3.0, 2.0, 1.0),
        files=0.0,
        requests=0.0,
        bytes_read=0.0,
        bytes_written=0.0,
    )
    assert cost.core_hours == pytest.approx(12.0)
    assert cost.wall_hours(workers) == pytest.approx(hours)
