"""A shift is found whatever it is, and what hides the ground changes it little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from sandbox.shifted_ground import SIZE_PX, fine_rock, fractal, observed_rock, patches
from stages.common.geo.planes import Bits
from stages.prepare import tile_shifts
from stages.prepare.tile_shifts import (
    DETAIL_MIN,
    EDGE_PX,
    FILTER_SIGMA_PX,
    MAD_TO_SIGMA,
    OUTLIER_SIGMA,
    TILE_PX,
    TILE_STABLE_MIN,
    ShiftEstimate,
    away_from_edges,
    count_by_leading_bits,
    erode,
    estimate_shift,
    high_pass,
    median_by_parts,
    tiles_with_detail,
)

EVERYWHERE = np.ones((SIZE_PX, SIZE_PX), dtype=bool)
FARTHEST_PX = 1.5

tenths = st.integers(-14, 14).map(lambda step: step / 10)


@pytest.fixture(scope="module")
def ground() -> np.ndarray:
    return fine_rock(1)


def noisy(image: np.ndarray, seed: int) -> np.ndarray:
    return (image + np.random.default_rng(seed).normal(0, 0.003, image.shape)).astype(np.float32)


def estimate(first: np.ndarray, second: np.ndarray, stable: np.ndarray = EVERYWHERE) -> ShiftEstimate:
    return estimate_shift(noisy(first, 1), noisy(second, 2), stable, farthest_px=FARTHEST_PX)


def error_px(found: ShiftEstimate, south: float, east: float) -> float:
    assert found.shift_px is not None
    return float(np.hypot(*(found.shift_px - (south, east))))


@settings(max_examples=25, deadline=None)
@given(south=tenths, east=tenths)
def test_any_small_shift_comes_back(south: float, east: float, ground: np.ndarray) -> None:
    found = estimate(observed_rock(ground, 0, 0), observed_rock(ground, south, east))
    assert error_px(found, south, east) < (0.06 if np.hypot(south, east) < FARTHEST_PX else 0.2)  # at worst 0.055


@settings(max_examples=15, deadline=None)
@given(
    south=tenths.filter(lambda px: abs(px) < 1.1), east=tenths.filter(lambda px: abs(px) < 1), seed=st.integers(0, 9)
)
def test_what_hides_the_ground_is_no_shift(south: float, east: float, seed: int, ground: np.ndarray) -> None:
    """White patches over a quarter of each image, in other places; the second is a third weaker.

    One estimate is drawn towards zero at their edges; `measure_shift` therefore reads the scene again.
    """
    white = patches(seed, 0.25), patches(seed + 100, 0.25)
    first = np.where(white[0], 0.8, observed_rock(ground, 0, 0))
    second = np.where(white[1], 0.8, 0.7 * observed_rock(ground, south, east) + 0.02)
    assert error_px(estimate(first, second, ~white[0] & ~white[1]), south, east) < 0.1


@pytest.mark.parametrize(("south", "east"), [(4, -9), (-15, 0), (0, 20)])
def test_a_large_shift_is_found_about_where_it_is(south: int, east: int) -> None:
    texture = 0.2 + 0.04 * fractal(SIZE_PX + 40, 1.6, 3)
    first, second = (texture[20 + row : 20 + row + SIZE_PX, 20 + column : 20 + column + SIZE_PX]
                     for row, column in ((0, 0), (-south, -east)))  # fmt: skip
    assert error_px(estimate(first, second), south, east) < 1


def test_what_does_not_agree_or_is_too_little_has_no_shift(ground: np.ndarray) -> None:
    """Other ground; too few tiles; no detail."""
    image = observed_rock(ground, 0, 0)
    corner = np.zeros_like(EVERYWHERE)
    corner[:TILE_PX, :TILE_PX] = True
    assert estimate(image, observed_rock(fine_rock(2), 0, 0)).shift_px is None
    few = estimate(image, image, corner)
    assert (few.shift_px, few.tiles) == (None, 3)  # beside a fourth that is too little stable
    flat = np.full((SIZE_PX, SIZE_PX), 0.2, dtype=np.float32)
    assert estimate_shift(flat, flat, EVERYWHERE, farthest_px=FARTHEST_PX).tiles == 0
    small = np.zeros((20, 500), dtype=np.float32)
    assert estimate_shift(small, small, small == 0, farthest_px=FARTHEST_PX).tiles == 0


@given(
    mask=arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)), pixels=st.integers(1, 3)
)  # fmt: skip
def test_erosion_is_scipys(mask: np.ndarray, pixels: int) -> None:
    np.testing.assert_array_equal(erode(mask, pixels), ndimage.binary_erosion(mask, iterations=pixels, border_value=1))


def test_a_mask_of_several_strips_is_eroded_as_one() -> None:
    mask = np.random.default_rng(5).random((1100, 30)) < 0.97
    np.testing.assert_array_equal(away_from_edges(Bits.of(mask))[:], erode(mask, EDGE_PX))


@given(
    sizes=arrays.arrays(
        np.float32, st.integers(1, 60), elements=st.floats(0, 2.0**99, width=32) | st.sampled_from([0.0, 0.25, 0.5])
    ),
    end=st.integers(0, 60),
)
def test_the_median_by_parts_is_numpys(sizes: np.ndarray, end: int) -> None:
    parts = np.split(sizes, [end])
    counts = sum(count_by_leading_bits(part) for part in parts)
    beside = np.array([[-1, -1]], dtype=np.float32)
    assert median_by_parts(counts, [*parts, beside]) == float(np.median(sizes))


def test_the_median_of_nothing_is_0() -> None:
    empty = np.empty(0, dtype=np.float32)
    assert median_by_parts(count_by_leading_bits(empty), [empty]) == 0


def test_the_filter_sees_usable_pixels_alone_and_removes_what_is_wide() -> None:
    random = np.random.default_rng(0)
    usable, image = patches(1, 0.7), random.normal(0.2, 0.01, (SIZE_PX, SIZE_PX)).astype(np.float32)
    filtered = high_pass(image, usable)[:]
    np.testing.assert_array_equal(high_pass(np.where(usable, image, np.float32(9)), usable), filtered)
    assert (filtered[~usable] == 0).all()
    assert np.abs(high_pass(np.full_like(image, 0.3), usable)).max() < 1e-6
    wider = high_pass(image, usable, within=EVERYWHERE)[:]
    np.testing.assert_array_equal(wider[usable], filtered[usable])
    assert wider[~usable].std() > 0.005


def test_strips_do_not_show_in_the_filter() -> None:
    random = np.random.default_rng(4)
    image, usable = random.normal(0.2, 0.01, (1100, 40)).astype(np.float32), random.random((1100, 40)) < 0.7
    image[~usable & (random.random(usable.shape) < 0.5)] = np.nan
    weight = ndimage.gaussian_filter(usable.astype(np.float32), FILTER_SIGMA_PX)
    smooth = ndimage.gaussian_filter(np.where(usable, image, np.float32(0)), FILTER_SIGMA_PX)
    detail = np.where(usable, image - smooth / np.maximum(weight, np.float32(1e-6)), np.float32(0))
    bound = OUTLIER_SIGMA * MAD_TO_SIGMA * float(np.median(np.abs(detail[usable])))
    np.testing.assert_array_equal(high_pass(image, usable), np.clip(detail, -bound, bound))


def test_strips_do_not_show_in_the_tiles() -> None:
    image = np.random.default_rng(5).normal(0, 0.01, (1100, TILE_PX)).astype(np.float32)
    image[500:800] = 0  # across the border of two strips
    places = tiles_with_detail(np.ones(image.shape, dtype=bool), image)
    rows = range(0, 1100 - TILE_PX + 1, TILE_PX // 2)
    assert places.tolist() == [[row, 0] for row in rows if image[row : row + TILE_PX].std() >= DETAIL_MIN]


def test_tiles_are_those_of_the_plain_definition() -> None:
    random = np.random.default_rng(3)
    usable = ndimage.gaussian_filter(random.normal(size=(400, 300)), 40) > 0
    images = [(random.normal(size=usable.shape) * 10 ** random.uniform(-5, -2.5, usable.shape)).astype(np.float32)
              * (ndimage.gaussian_filter(random.normal(size=usable.shape), 30) > -0.005) for _ in range(2)]  # fmt: skip
    expected = []
    for row in range(0, 400 - TILE_PX + 1, TILE_PX // 2):
        for column in range(0, 300 - TILE_PX + 1, TILE_PX // 2):
            place = slice(row, row + TILE_PX), slice(column, column + TILE_PX)
            details = [np.where(usable[place], image[place], 0).std() for image in images]
            if usable[place].mean() >= TILE_STABLE_MIN and min(details) >= DETAIL_MIN:
                expected.append([row, column])
    assert 20 < len(expected) < 80  # of 88
    assert tiles_with_detail(usable, *images).tolist() == expected


def test_many_tiles_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_shifts, "TILES_MAX", 7)
    image = np.random.default_rng(0).normal(size=(256, 320)).astype(np.float32)
    places = tiles_with_detail(np.ones(image.shape, dtype=bool), image)
    assert places.tolist() == [[row, 0] for row in range(0, 256 - TILE_PX + 1, 32)]  # every ninth of 7 x 9


def test_a_quarter_of_the_tiles_may_be_wrong(ground: np.ndarray) -> None:
    """The rows at the lower end show other ground, whose tiles would be laid anywhere."""
    first, second = observed_rock(ground, 0, 0), observed_rock(ground, 0.4, -0.3)
    second[150:] = observed_rock(fine_rock(2), 0, 0)[150:]
    assert error_px(estimate(first, second), 0.4, -0.3) < 0.06
