"""Heights of a whole grid are those of its cells in memory, to the last bit, voids filled included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from scipy import ndimage

from stages.area.map.elevation import Elevation
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits

GRID = Grid(crs="EPSG:32645", transform=Affine(10, 0, 480_000, 0, -10, 3_090_000), height=1700, width=30)


def dem(known: np.ndarray) -> Elevation:
    """A DEM of cells of 30 m, a little askew to the grid, that reaches beyond it."""
    height_m = np.random.default_rng(3).uniform(4000, 6000, known.shape).astype(np.float32)
    transform = Affine(30, 0, 479_957, 0, -30, 3_090_041)
    return Elevation(height_m=np.where(known, height_m, np.float32(np.nan)), transform=transform, crs="EPSG:32645")


@pytest.mark.parametrize("void_rows", [(0, 0), (20, 60), (2, 580), (0, 400)])
def test_heights_of_a_grid_are_those_of_its_cells(tmp_path: Path, void_rows: tuple[int, int]) -> None:
    known = np.ones((590, 20), dtype=bool)
    known[slice(*void_rows)] = False
    elevation = dem(known)
    cells = elevation.on_cells(GRID.shape, GRID.transform, GRID.crs)
    wanted = Bits.of(ndimage.binary_dilation(np.arange(1700 * 30).reshape(1700, 30) % 997 == 0, iterations=2))
    plane = elevation.on_grid(GRID, wanted, tmp_path)
    assert cells is not None
    assert plane is not None
    assert (plane[:][wanted[:]] == cells[wanted[:]]).all()
    assert ((plane[:] == cells) | np.isnan(plane[:])).all()
    assert np.isnan(plane[:]).any() == (void_rows != (0, 0))
    assert not list(tmp_path.iterdir())


def test_a_dem_that_reaches_no_cell_gives_no_heights(tmp_path: Path) -> None:
    elevation = dem(np.zeros((590, 20), dtype=bool))
    assert elevation.on_grid(GRID, ~Bits(GRID.shape), tmp_path) is None
    assert elevation.on_cells(GRID.shape, GRID.transform, GRID.crs) is None
