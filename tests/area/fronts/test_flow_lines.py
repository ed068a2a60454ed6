from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Transformer
from scipy import ndimage
from shapely.geometry import LineString, Point, Polygon

from stages.area.fronts.centreline import centreline, nose
from stages.area.fronts.flow_lines import DERIVED, NONE, derive, extend_line
from stages.area.fronts.position import locate_front, strip_about
from stages.area.map.elevation import Elevation
from stages.area.site import AreaSite
from stages.common.geo.grid import Grid, snap_grid
from stages.common.geo.raster import write_cog
from stages.common.geo.vectors import pixels_inside
from stages.common.params.area import FrontParams

EXACT = FrontParams(extension_m=0)

PLANE = Elevation(
    height_m=np.tile(6000 - 3 * np.arange(200.0, dtype=np.float32)[:, None], (1, 200)),
    transform=Affine(30, 0, 0, 0, -30, 6000),
    crs="EPSG:32644",
)
"""Falls to the south by 0.1."""


def site_of(shape: Any, grid: Grid, aoi: np.ndarray | None = None) -> AreaSite:
    """A site of one glacier."""
    mask = pixels_inside([shape], grid)
    aoi = np.ones(grid.shape, dtype=bool) if aoi is None else aoi
    return AreaSite(
        grid=grid, aoi=aoi, prior=mask & aoi, owner=mask.astype(np.uint16), glaciers=[],
        outlines_km2=np.array([0.0, 9.0]), aoi_km2=1.0, outlines=None,
    )  # fmt: skip


def grid_of(height: int = 200, width: int = 200) -> Grid:
    return Grid(crs="EPSG:32644", transform=Affine(30, 0, 0, 0, -30, 6000), height=height, width=width)


@pytest.mark.parametrize(
    ("outline", "dem", "crs", "rgi_length_m"),
    [
        pytest.param("Hintereisferner_RGI6.shp", "hef_srtm.tif", "EPSG:32632", 7178, id="Hintereisferner"),
        pytest.param("RGI50-14.15990.shp", "dem_chhota_shigri.tif", "EPSG:32643", 8600, id="Chhota Shigri"),
    ],
)
@pytest.mark.parametrize("pixel_m", [10, 30])
def test_the_length_of_real_glaciers_is_that_of_rgi(
    outline: str, dem: str, crs: str, rgi_length_m: float, pixel_m: int, samples: Path
) -> None:
    """Lmax of RGI (Machguth and Huss 2014), from other DEMs: within 3 %."""
    folder = samples / "rgi-dem"
    shape = geopandas.read_file(folder / outline).to_crs(crs).geometry[0]
    left, bottom, right, top = shape.buffer(500).bounds
    grid = snap_grid((left, bottom, right, top), crs=crs, pixel_size_m=pixel_m, origin_m=(0, 0))
    flow_line = derive(site_of(shape, grid), 1, Elevation.read(folder / dem), EXACT)
    assert flow_line.source == DERIVED
    assert flow_line.line.length == pytest.approx(rgi_length_m, rel=0.03)
    within = flow_line.line.intersection(shape.buffer(pixel_m)).length
    assert within == pytest.approx(flow_line.line.length, rel=0.01)


def test_the_front_of_hintereisferner_is_where_its_outline_ends(samples: Path) -> None:
    """Its tongue ends in the north-east, at 46.8189 N 10.8005 E in the outline of 2003."""
    folder = samples / "rgi-dem"
    shape = geopandas.read_file(folder / "Hintereisferner_RGI6.shp").to_crs("EPSG:32632").geometry[0]
    left, bottom, right, top = shape.buffer(500).bounds
    grid = snap_grid((left, bottom, right, top), crs="EPSG:32632", pixel_size_m=10, origin_m=(0, 0))
    flow_line = derive(site_of(shape, grid), 1, Elevation.read(folder / "hef_srtm.tif"), EXACT)
    tip = max(shape.exterior.coords)  # the easternmost vertex
    assert Point(flow_line.line.coords[-1]).distance(Point(tip)) < 400
    longitude, latitude = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True).transform(
        *flow_line.line.coords[-1]
    )
    assert (longitude, latitude) == pytest.approx((10.8005, 46.8189), abs=0.002)


def test_the_line_of_a_straight_tongue_keeps_to_its_middle() -> None:
    """In its middle half everywhere, nearer the lower down it is, where height costs less than the margin."""
    tongue = Polygon([(2700, 5500), (3300, 5500), (3300, 1000), (2700, 1000)])
    line = derive(site_of(tongue, grid_of()), 1, PLANE, EXACT).line
    assert line.coords[0][1] > line.coords[-1][1]
    assert max(abs(x - 3000) for x, y in line.coords if 1500 < y < 5000) <= 150
    assert max(abs(x - 3000) for x, y in line.coords if 1300 < y < 1800) <= 75
    assert line.length == pytest.approx(4500, rel=0.05)


def test_the_line_bends_with_its_valley() -> None:
    valley = Polygon([(600, 5500), (1200, 5500), (1200, 3000), (5400, 2400), (5400, 1800), (600, 2400)])
    tilted = Elevation(
        height_m=np.add.outer(-3 * np.arange(200.0), -2 * np.arange(200.0)).astype(np.float32) + 6000,
        transform=PLANE.transform, crs=PLANE.crs,
    )  # fmt: skip
    line = derive(site_of(valley, grid_of()), 1, tilted, EXACT).line
    assert valley.buffer(30).contains(line)
    assert line.length == pytest.approx(2900 + 4500, rel=0.1)


def test_a_line_to_a_broad_front_ends_square_to_it() -> None:
    """The lowest pixel is the corner of the front; the line ends in its middle half, within 10 degrees of the flow."""
    tongue = Polygon([(2550, 5500), (3450, 5500), (3450, 1000), (2550, 1000)])
    leaning = Elevation(
        height_m=PLANE.height_m + 0.02 * np.arange(200, dtype=np.float32), transform=PLANE.transform, crs=PLANE.crs
    )
    line = derive(site_of(tongue, grid_of()), 1, leaning, FrontParams(extension_m=300)).line
    (x0, y0), (x1, y1) = line.interpolate(line.length - 600).coords[0], line.coords[-1]
    assert abs(x1 - 3000) < 225
    assert abs(np.degrees(np.arctan2(x1 - x0, y0 - y1))) < 10


@pytest.mark.parametrize(("radius_m", "turn_deg", "half_m"), [(600, 60, 250), (800, 90, 400), (600, 90, 250)])
def test_a_retreat_around_a_bend_is_measured_along_the_bend(radius_m: float, turn_deg: float, half_m: float) -> None:
    """200 m are planted where a tongue turns, up to its end; a last piece drawn straight on finds 225 to 275."""
    turn = np.linspace(0, np.radians(turn_deg), 80)
    arc = [(3000 + radius_m * (1 - np.cos(angle)), 3500 - radius_m * np.sin(angle)) for angle in turn]
    middle = LineString([(3000, 5500), *arc])
    grid, whole_m = grid_of(), middle.length
    x, y = grid.transform @ (np.indices(grid.shape)[::-1] + 0.5)
    places = shapely.points(x, y)
    along_m, aside_m = shapely.line_locate_point(middle, places), shapely.distance(middle, places)
    dem = Elevation(height_m=(6000 - 0.1 * along_m).astype(np.float32), transform=grid.transform, crs=grid.crs)

    def tongue(length_m: float) -> np.ndarray:
        return np.asarray((aside_m < half_m) & (along_m > 0) & (along_m < length_m))

    outline = tongue(whole_m)
    site = AreaSite(
        grid=grid, aoi=np.ones(grid.shape, dtype=bool), prior=outline, owner=outline.astype(np.uint16), glaciers=[],
        outlines_km2=np.array([0.0, 9.0]), aoi_km2=1.0, outlines=None,
    )  # fmt: skip
    strip = strip_about(derive(site, 1, dem, FrontParams()).line, grid, width_m=100)
    fronts = [
        locate_front(
            strip.count(tongue(whole_m - back)), np.zeros(strip.n_bins), strip.count(strip.inside), pixel_m=30
        )[0]
        for back in (100, 300)
    ]
    assert None not in fronts
    assert fronts[0] - fronts[1] == pytest.approx(200, rel=0.1)


def test_the_nose_is_the_middle_of_the_lowest_stretch_and_no_other_low_place_beside_it() -> None:
    """Two tips 120 m apart: one lowest and 11 cells broad, the other 5 m higher."""
    outline = np.zeros((60, 40), dtype=bool)
    outline[5:40, 5:30] = True
    outline[40:52, 5:16] = outline[40:50, 20:26] = True
    height = np.tile(6000 - 2.5 * np.arange(60.0, dtype=np.float32)[:, None], (1, 40))
    margin = outline & ~ndimage.binary_erosion(outline)
    height[51, 5] -= 1  # a corner
    assert nose(margin, height) == (51, 10)


def test_the_line_goes_straight_on_beyond_the_outline() -> None:
    line = extend_line(LineString([(0, 0), (1000, 0), (1000, -600)]), 500)
    assert line.coords[-1] == pytest.approx((1000, -1100))
    assert line.length == pytest.approx(2100)


def test_a_glacier_that_is_cut_off_has_no_line() -> None:
    tongue = Polygon([(2700, 5500), (3300, 5500), (3300, -100), (2700, -100)])
    leaving = derive(site_of(tongue, grid_of()), 1, PLANE, EXACT)
    assert (leaving.line, leaving.source) == (None, NONE)
    assert leaving.reason == "its lower end lies at the edge of the AOI: the front may be beyond"
    aoi = np.ones(grid_of().shape, dtype=bool)
    aoi[120:] = False
    assert derive(site_of(tongue, grid_of(), aoi), 1, PLANE, EXACT).reason == leaving.reason


def test_a_glacier_outside_the_aoi_has_no_line() -> None:
    tongue = Polygon([(2700, 5500), (3300, 5500), (3300, 1000), (2700, 1000)])
    nowhere = derive(site_of(tongue, grid_of(), np.zeros(grid_of().shape, dtype=bool)), 1, PLANE, EXACT)
    assert nowhere.reason == "none of it lies in the AOI"
    beyond_the_grid = Polygon([(-900, 500), (-300, 500), (-300, 100)])
    assert derive(site_of(beyond_the_grid, grid_of()), 1, PLANE, EXACT).reason == nowhere.reason


def test_a_dem_elsewhere_and_a_flat_one_give_a_reason() -> None:
    tongue = Polygon([(2700, 5500), (3300, 5500), (3300, 1000), (2700, 1000)])
    elsewhere = Elevation(height_m=PLANE.height_m, transform=Affine(30, 0, 90_000, 0, -30, 6000), crs=PLANE.crs)
    assert derive(site_of(tongue, grid_of()), 1, elsewhere, EXACT).reason == "the DEM does not reach it"
    flat = Elevation(height_m=np.zeros((200, 200), np.float32), transform=PLANE.transform, crs=PLANE.crs)
    reason = derive(site_of(tongue, grid_of()), 1, flat, EXACT).reason
    assert reason == "the DEM is flat there"


def test_voids_of_the_dem_are_filled(tmp_path: Path) -> None:
    height = PLANE.height_m.copy()
    height[60:70, 95:105] = -32768
    write_cog(tmp_path / "dem.tif", height, grid_of(), nodata=-32768)
    tongue = Polygon([(2700, 5500), (3300, 5500), (3300, 1000), (2700, 1000)])
    flow_line = derive(site_of(tongue, grid_of()), 1, Elevation.read(tmp_path / "dem.tif"), EXACT)
    whole = derive(site_of(tongue, grid_of()), 1, PLANE, EXACT)
    assert flow_line.line.length == pytest.approx(whole.line.length, rel=0.01)


def test_of_an_outline_in_pieces_the_largest_has_the_line() -> None:
    outline = np.zeros((60, 60), dtype=bool)
    outline[5:50, 20:30] = True
    outline[55:58, 40:43] = True  # lower down
    height = np.tile(-30 * np.arange(60.0, dtype=np.float32)[:, None], (1, 60))
    line = centreline(outline, height)
    assert line[0, 0] == 5
    assert line[-1, 0] == 49
    assert outline[line.round().astype(int)[:, 0], line.round().astype(int)[:, 1]].all()
