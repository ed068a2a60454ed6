"""The split of small sites: folds are counted before anything is trained."""

from __future__ import annotations

import geopandas
import pytest
from affine import Affine
from shapely.geometry import box

from sandbox.tiny import ellipse
from setup.lines import Line
from setup.place import Place
from setup.split import choose_split
from stages.common.errors import InputError
from stages.common.geo.grid import Grid


def place(height: int, width: int, pixel_m: float, crs: str, *, radius: float = 0.3) -> Place:
    """A site with a round glacier in its middle, the radius in parts of its shorter side."""
    left, top = 350_000.0, 3_420_000.0
    grid = Grid(crs=crs, transform=Affine(pixel_m, 0, left, 0, -pixel_m, top), height=height, width=width)
    middle, reach = (width * pixel_m / 2, height * pixel_m / 2), radius * min(height, width) * pixel_m
    outlines = geopandas.GeoDataFrame(geometry=[ellipse(center=middle, radii=(reach, reach))], crs=crs)
    lines = {name: Line(None) for name in ("crs", "pixel_size_m", "origin_m")}
    return Place(**lines, aoi={}, grid=grid, outlines=outlines, aoi_shape=box(*grid.bounds))


@pytest.mark.parametrize(
    ("site", "block", "buffer_px", "size_px"),
    [
        (place(148, 155, 10, "EPSG:32644"), (30, 31), 4, 64),
        (place(215, 205, 30, "EPSG:32644"), (43, 41), 8, 64),
        (place(549, 549, 10, "EPSG:32632"), (110, 110), 16, 256),
        (place(655, 800, 30, "EPSG:32645"), (131, 160), 32, 256),
        (place(300, 300, 30, "EPSG:3031"), (60, 60), 8, 128),
    ],
)
def test_small_sites_get_a_buffer_that_leaves_ground(
    site: Place, block: tuple[int, int], buffer_px: int, size_px: int
) -> None:
    lines = choose_split(site).lines
    assert (lines["block_rows_px"].value, lines["block_columns_px"].value) == block
    assert (lines["buffer_px"].value, lines["size_px"].value) == (buffer_px, size_px)
    assert lines["buffer_px"].why.startswith("counted: 50 px and more of ice and of other ground")


def test_a_glacier_too_small_for_any_fold_is_refused_with_the_numbers() -> None:
    with pytest.raises(InputError, match="too small") as caught:
        choose_split(place(148, 155, 10, "EPSG:32644", radius=0.05))
    assert "155 x 148 px of 10 m, 1 outlines; with a buffer of 4 px, fold 0 has for" in caught.value.found
    assert "0 px of ice" in caught.value.found


def test_blocks_below_the_least_are_refused() -> None:
    with pytest.raises(InputError, match="too small") as caught:
        choose_split(place(30, 60, 30, "EPSG:32644"))
    assert "blocks of 6 x 12 px, at least 8 px" in caught.value.found
