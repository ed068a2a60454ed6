"""Maps painted pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from stages.common.drawing import maps
from stages.common.geo.grid import Grid


def disk(radius: float, size: int = 41) -> np.ndarray:
    row, column = np.indices((size, size)) - size // 2
    return (row**2 + column**2 <= radius**2).astype(np.uint8)


def test_outline_of_a_disk_is_its_rim():
    mask = disk(10)
    line = maps.outline_pixels(mask)
    row, column = np.nonzero(line)
    distance = np.hypot(row - 20, column - 20)
    assert ((distance > 8.5) & (distance <= 10)).all()
    assert 0.85 * 2 * np.pi * 10 < line.sum() < 2 * np.pi * 10
    assert not (line & (mask == 0)).any()


def test_hole_has_an_outline():
    mask = disk(15) * (1 - disk(5))
    assert maps.outline_pixels(mask)[20, 20 - 6]


def test_edge_of_unseen_ground_is_no_outline():
    mask = np.full((9, 9), 1, dtype=np.uint8)
    mask[:, 5:] = 255
    assert not maps.outline_pixels(mask).any()


@pytest.mark.parametrize(
    ("width", "height", "shown", "pixel_m"),
    [
        pytest.param(150, 120, (750, 600), 2.0, id="small: whole multiple"),
        pytest.param(800, 655, (800, 655), 10.0, id="fits"),
        pytest.param(8000, 4000, (800, 400), 100.0, id="large: a fraction"),
        pytest.param(4000, 8000, (400, 800), 100.0, id="tall"),
    ],
)
def test_view_fits_and_knows_its_pixel(width, height, shown, pixel_m):
    grid = Grid(crs="EPSG:32644", transform=Affine(10, 0, 0, 0, -10, 0), height=height, width=width)
    map_size = maps.fit_map(grid, max_width=800, max_height=800)
    assert (map_size.width, map_size.height) == shown
    assert map_size.pixel_size_m == pytest.approx(pixel_m)
