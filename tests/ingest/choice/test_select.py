"""Which classes of the scene classification hide the surface."""

from __future__ import annotations

import pytest

from stages.common.params.prepare import PrepareParams
from stages.ingest.choice.select import hiding_classes


@pytest.mark.parametrize(
    ("invalid", "keep", "expected"),
    [
        pytest.param((0, 1, 3, 8, 9, 10), True, {3, 8, 9, 10}, id="as it is by default"),
        pytest.param((0, 1, 3, 7, 8, 9, 10), False, {1, 3, 7, 8, 9, 10}, id="strict"),
    ],
)
def test_the_surface_is_hidden_by_what_hides_it_in_prepare(
    invalid: tuple[int, ...], keep: bool, expected: set[int]
) -> None:
    prepare = PrepareParams(bands=["B03"], storage="sentinel2", scl_invalid=invalid, keep_saturated_snow=keep)  # type: ignore[arg-type]
    assert hiding_classes(prepare) == expected
