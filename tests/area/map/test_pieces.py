"""Pieces found strip by strip are the pieces of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from stages.area.map import pieces
from stages.area.map.pieces import EIGHT_NEIGHBOURS, keep_pieces
from stages.common.geo.rows import strips


@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 5), st.sampled_from([0, 2**22]))
@settings(max_examples=80, deadline=None)
def test_pieces_of_strips_are_those_of_the_whole(seed: int, corners: bool, rows: int, kept_max: int) -> None:
    random = np.random.default_rng(seed)
    area, marks = random.random((17, 13)) < random.uniform(0.2, 0.7), random.random((17, 13)) < 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "KEPT_PIXELS_MAX", kept_max)
        patch.setattr(pieces, "strips", lambda height: strips(height, rows))
        kept, dropped = keep_pieces(
            lambda part: area[part], lambda part: marks[part], lambda pixels, marked: (pixels >= 5) | marked,
            shape=area.shape, corners=corners,
        )  # fmt: skip
    labels, count = ndimage.label(area, structure=EIGHT_NEIGHBOURS if corners else None)
    large = {number for number in range(1, count + 1) if (labels == number).sum() >= 5 or marks[labels == number].any()}
    assert (kept[:] == np.isin(labels, sorted(large))).all()
    assert dropped == count - len(large)


def test_an_area_without_pixels_has_no_pieces() -> None:
    nothing = np.zeros((6, 4), dtype=bool)
    kept, dropped = keep_pieces(
        lambda part: nothing[part], lambda part: nothing[part], lambda pixels, _: pixels > 0, shape=nothing.shape
    )
    assert (kept[:] == nothing).all() and dropped == 0
