"""Image and outline are weighed as stated, and a planted movement of the fronts is found from images alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.area.fusion.model import (
    DECAY,
    DRAWN_M,
    RETREAT_M_PER_YEAR,
    SPREAD_M_PER_YEAR,
    Evidence,
    Movement,
    decisive_m,
    estimate_movement,
    image_evidence,
    outline_evidence,
    probability_levels,
)

PIXELS = 60_000
LLR_VARIANCE = 8.0
"""Variance of an image's log odds whose mean is half of it: such odds are calibrated by construction."""


def simulated(retreat: float, *, age: float = 20.0) -> Evidence:
    """Pixels about outlines whose fronts have moved, with images that tell ice from ground with calibrated odds."""
    chance = np.random.default_rng(7)
    beyond, height = chance.uniform(-500, 500, PIXELS), chance.uniform(0, 1, PIXELS)
    ages = np.full(PIXELS, age)
    glacier = chance.logistic(size=PIXELS) < outline_evidence(Movement(retreat, 1.0), beyond, height, ages)
    image = np.where(glacier, 0.5, -0.5) * LLR_VARIANCE + chance.normal(0, LLR_VARIANCE**0.5, PIXELS)
    return Evidence(image=image, beyond_m=beyond, height=height, age=ages)


@pytest.mark.parametrize("retreat", [-6.0, 0.0, 4.0, 12.0])
def test_a_planted_movement_is_found_without_any_truth(retreat: float) -> None:
    found = estimate_movement(simulated(retreat), has_height=True)
    assert found.retreat == pytest.approx(retreat, abs=0.4)
    assert found.spread == pytest.approx(1.0, abs=0.5)


def test_without_heights_no_retreat_is_assumed() -> None:
    assert estimate_movement(simulated(8.0), has_height=False).retreat == 0


def test_no_pixel_gives_no_movement() -> None:
    none = np.empty(0)
    movement = estimate_movement(Evidence(none, none, none, none), has_height=True)
    assert movement == Movement(0.0, SPREAD_M_PER_YEAR[0])


def test_an_image_says_nothing_at_its_threshold_and_less_at_the_head() -> None:
    height = np.array([0.0, 0.5, 1.0])
    assert image_evidence(np.full(3, 0.8, np.float32), height, 0.8) == pytest.approx(0, abs=1e-6)
    above = image_evidence(np.full(3, 0.95, np.float32), height, 0.8)
    assert above[0] > above[1] > above[2] > 0
    assert np.isfinite(image_evidence(np.array([0, 1], np.float32), np.zeros(2), 0.5)).all()


def test_an_outline_of_the_day_is_off_by_its_drawing_alone() -> None:
    beyond = np.array([-DRAWN_M, 0.0, DRAWN_M])
    said = outline_evidence(Movement(10.0, 5.0), beyond, np.zeros(3), np.zeros(3))
    assert said == pytest.approx([1, 0, -1])


@given(
    st.floats(*RETREAT_M_PER_YEAR), st.floats(*SPREAD_M_PER_YEAR), st.floats(0, 1), st.floats(0, 60),
    st.floats(-500, 500), st.floats(0.1, 500),
)  # fmt: skip
def test_the_further_beyond_the_outline_the_less_likely(
    retreat: float, spread: float, height: float, age: float, beyond: float, step: float
) -> None:
    movement, place = Movement(retreat, spread), (np.float64(height), np.float64(age))
    assert outline_evidence(movement, beyond + step, *place) < outline_evidence(movement, beyond, *place)
    moved = -retreat * age * np.exp(-DECAY * height)
    assert outline_evidence(movement, moved, *place) == pytest.approx(0, abs=1e-6)


def test_levels_are_those_of_a_stored_probability() -> None:
    assert probability_levels(np.array([-1e9, 0, np.log(3), 1e9], np.float32)).tolist() == [0, 5000, 7500, 10000]


@given(st.floats(-20, 20), st.floats(0.05, 20), st.floats(0, 60), st.floats(0, 1), st.floats(0.0001, 0.9999))
def test_beyond_the_decisive_distance_no_image_changes_the_level(
    retreat: float, spread: float, age: float, height: float, threshold: float
) -> None:
    movement = Movement(retreat, spread)
    reach_m = decisive_m(movement, age)
    image = image_evidence(np.array([0, 1], np.float32), np.full(2, height), threshold)
    for beyond_m, level in ((reach_m, 0), (-reach_m, 10_000)):
        for farther in (1.0, 5.0, 1e6):
            outline = outline_evidence(movement, np.full(2, beyond_m * farther), np.full(2, height), np.full(2, age))
            assert (probability_levels((image + outline).astype(np.float32)) == level).all()
