"""Column strips keep every pixel once, start at multiples of the stride, and are as few as possible."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.common.model.strips import plan_strips, round_up, strip_size


@given(width=st.integers(1, 9000), depth=st.integers(1, 5), radius=st.integers(0, 220), most=st.integers(1, 4000))
def test_every_column_is_kept_once_and_far_from_inner_edges(width: int, depth: int, radius: int, most: int) -> None:
    stride = 2**depth
    padded, margin = round_up(width, stride), round_up(radius, stride)
    size = strip_size(padded, most, margin=margin, stride=stride)
    times_kept = np.zeros(padded, dtype=int)
    for span in plan_strips(padded, size, margin):
        times_kept[span.keep_start : span.keep_stop] += 1
        assert span.start % stride == 0 and size % stride == 0
        assert span.start >= 0 and span.start + size <= padded
        assert span.start == 0 or span.keep_start - span.start >= radius
        assert span.start + size == padded or span.start + size - span.keep_stop >= radius
    assert (times_kept == 1).all()
    assert size <= max(most, 2 * margin + stride) or size == padded <= 2 * margin + stride


def test_a_scene_that_fits_is_one_strip() -> None:
    assert strip_size(800, 800, margin=96, stride=16) == 800
    assert len(plan_strips(800, 800, 96)) == 1


def test_a_whole_tile_is_two_strips_whose_margins_cost_little() -> None:
    """A tile of Sentinel-2, 10,980 columns, and the receptive field of the default model."""
    size = strip_size(10_976, 6000, margin=224, stride=32)
    assert len(plan_strips(10_976, size, 224)) == 2
    assert 2 * size / 10_976 < 1.05


def test_the_last_strip_ends_at_the_edge() -> None:
    spans = plan_strips(160, 64, 16)
    assert spans[0].start == 0 and spans[0].keep_stop == 48
    assert spans[-1].start == 96 and spans[-1].keep_stop == 160
