"""Window plans keep every pixel once, start at multiples of the stride, and pay little for their margins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.model.windows import fixed_plan, plan_axis, plan_windows


@given(
    height=st.integers(1, 3000), width=st.integers(1, 3000), depth=st.integers(1, 5), radius=st.integers(0, 220),
    megapixels=st.floats(0.05, 4),
)  # fmt: skip
def test_every_pixel_is_kept_once_and_far_from_inner_edges(
    height: int, width: int, depth: int, radius: int, megapixels: float
) -> None:
    stride = 2**depth
    plan = plan_windows(height, width, stride_px=stride, radius_px=radius, max_pixels=int(megapixels * 1e6))
    for spans, size, length in (
        (plan.row_spans, plan.window_height, height),
        (plan.column_spans, plan.window_width, width),
    ):
        padded = -(-length // stride) * stride
        times_kept = np.zeros(padded, dtype=int)
        for span in spans:
            times_kept[span.keep_start : span.keep_stop] += 1
            assert span.start % stride == 0 and size % stride == 0
            assert span.start >= 0 and span.start + size <= padded
            assert span.start == 0 or span.keep_start - span.start >= radius
            assert span.start + size == padded or span.start + size - span.keep_stop >= radius
        assert (times_kept == 1).all()


def test_a_scene_that_fits_is_one_window_without_margins() -> None:
    plan = plan_windows(655, 800, stride_px=16, radius_px=92, max_pixels=2_000_000)
    assert len(plan) == 1
    assert (plan.window_height, plan.window_width) == (656, 800)
    assert plan.compute_ratio == pytest.approx(656 * 800 / (655 * 800))


@pytest.mark.parametrize(
    ("height", "width", "bound"),
    [
        pytest.param(1600, 1600, 1.35, id="demo, 16 km at 10 m"),
        pytest.param(3000, 2800, 1.35, id="Gangotri's AOI at 10 m"),
        pytest.param(10980, 10980, 1.35, id="a whole Sentinel-2 tile"),
    ],
)
def test_margins_cost_little(height: int, width: int, bound: float) -> None:
    plan = plan_windows(height, width, stride_px=16, radius_px=92, max_pixels=2_000_000)
    assert plan.compute_ratio <= bound


def test_the_last_window_ends_at_the_edge() -> None:
    spans = plan_axis(160, 64, 16)
    assert spans[0].start == 0 and spans[0].keep_stop == 48
    assert spans[-1].start == 96 and spans[-1].keep_stop == 160


def test_fixed_plan_shrinks_to_the_scene() -> None:
    plan = fixed_plan(30, 500, size=(64, 128), stride_px=16, margin_px=16)
    assert (plan.window_height, plan.window_width) == (32, 128)
