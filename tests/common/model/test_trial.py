"""Ranges of the numbers that a model's metadata hold."""

from __future__ import annotations

import math

import pytest

from stages.common.model.trial import check_numbers

NUMBERS = {"threshold": 0.5, "temperature": 1.0, "members": 1, "stride_px": 16, "radius_px": 90}
ENDS = {
    "threshold": (0.0, 1.0), "temperature": (1e-3, 1e3), "members": (1, 64), "stride_px": (1, 1024),
    "radius_px": (0, 16384),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_both_ends_of_a_range_belong_to_it(name: str) -> None:
    for end in ENDS[name]:
        check_numbers(**NUMBERS | {name: end})


@pytest.mark.parametrize("name", ENDS)
def test_what_is_out_of_range_is_refused(name: str) -> None:
    least, most = ENDS[name]
    for value in (least - 1e-6, most + 1e-6, math.nan):
        with pytest.raises(ValueError, match="is "):
            check_numbers(**NUMBERS | {name: value})
