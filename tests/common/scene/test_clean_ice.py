"""Clean ice by the band ratio, and its floor where there is little light."""

from __future__ import annotations

import numpy as np
import pytest

from stages.common.scene.clean_ice import is_clean


@pytest.mark.parametrize(
    ("red", "swir", "clean"),
    [
        pytest.param(0.5, 0.25, True, id="the ratio itself"),
        pytest.param(0.49, 0.25, False, id="below the ratio"),
        pytest.param(0.021, 0.0, True, id="in shadow, twice the error of reflectance"),
        pytest.param(0.019, 0.0, False, id="in shadow, less than that: two dark values give any ratio"),
        pytest.param(-0.002, -0.003, False, id="below zero"),
        pytest.param(np.nan, 0.1, False, id="no red"),
        pytest.param(0.5, np.nan, False, id="no short-wave infrared"),
    ],
)
def test_known_answers(red: float, swir: float, clean: bool) -> None:
    values = (np.array([[value]], dtype=np.float32) for value in (red, swir))
    assert is_clean(*values, ratio_min=2.0).tolist() == [[clean]]
