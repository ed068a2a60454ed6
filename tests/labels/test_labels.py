"""Outlines to labels: holes, ignore bands, ids, areas."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pytest
import rasterio
from affine import Affine
from scipy.ndimage import distance_transform_edt
from shapely import affinity
from shapely.geometry import Point, Polygon, box

from sandbox import tiny
from stages.common.errors import ContractError
from stages.common.geo.grid import Grid, pixel_area_km2
from stages.common.geo.raster import profile, read_grid
from stages.common.params.schema import LabelsParams, load_params
from stages.common.run.stage import Run
from stages.labels.age import ignore_bands_m, outline_age
from stages.labels.contract import CONTRACT
from stages.labels.label import label
from stages.labels.rasterise import boundary_distance_px, glacier_ids, label_raster, near_points
from stages.labels.terminus import find_terminus

GRID = Grid("EPSG:32645", Affine(10, 0, 480_000, 0, -10, 3_100_000), 100, 120)


def square(left: float, top: float, right: float, bottom: float) -> Polygon:
    """Square in metres from the grid's upper left corner."""
    return box(480_000 + left, 3_100_000 - bottom, 480_000 + right, 3_100_000 - top)


def test_a_nunatak_stays_rock() -> None:
    shape = square(100, 100, 700, 700).difference(square(300, 300, 400, 400))
    ids = glacier_ids([shape], GRID)
    assert (ids > 0).sum() == 60 * 60 - 10 * 10
    assert not ids[30:40, 30:40].any()


def test_the_smaller_of_overlapping_outlines_wins() -> None:
    ids = glacier_ids([square(300, 300, 400, 400), square(0, 0, 800, 800)], GRID)
    assert (ids == 1).sum() == 100
    assert (ids == 2).sum() == 6400 - 100


def test_ellipse_area_from_the_raster() -> None:
    shape = affinity.scale(Point(480_600, 3_099_500).buffer(1, quad_segs=64), 510.3, 370.7)
    scale = pixel_area_km2(GRID).mean() / 1e-4
    area_km2 = float(pixel_area_km2(GRID)[glacier_ids([shape], GRID) > 0].sum())
    assert area_km2 == pytest.approx(shape.area / 1e6 * scale, rel=5e-3)


def test_distance_to_the_boundary_is_half_a_pixel_beside_it() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[:, 4:] = True
    assert boundary_distance_px(mask)[4].tolist() == [3.5, 2.5, 1.5, 0.5, 0.5, 1.5, 2.5, 3.5, 4.5]
    assert np.isinf(boundary_distance_px(np.ones((3, 3), dtype=bool))).all()
    assert np.isinf(boundary_distance_px(np.zeros((3, 3), dtype=bool))).all()


@pytest.mark.parametrize(
    ("ignore_px", "width"),
    [
        pytest.param(0, 0, id="none"),
        pytest.param(0.5, 0, id="to the first centre"),
        pytest.param(1, 2, id="a pixel a side"),
        pytest.param(3, 6, id="three a side"),
    ],
)
def test_the_ignore_band_lies_on_both_sides(ignore_px: float, width: int) -> None:
    glacier = np.zeros((20, 40), dtype=np.uint16)
    glacier[:, 20:] = 1
    band = (
        label_raster(glacier, np.ones_like(glacier, bool), np.zeros_like(glacier, bool), ignore_px=[ignore_px]) == 255
    )
    assert band[10].sum() == width
    assert band[10, 20 - width // 2 : 20 + width // 2].all()


def test_each_glacier_has_the_band_of_its_own_age() -> None:
    ids = np.zeros((12, 60), dtype=np.uint16)
    ids[:, :15], ids[:, 45:] = 1, 2
    nowhere = np.zeros(ids.shape, dtype=bool)
    band = label_raster(ids, ~nowhere, nowhere, ignore_px=[2, 5])[6] == 255
    assert np.nonzero(band)[0].tolist() == [*range(13, 17), *range(40, 50)]


def test_strips_do_not_show_in_the_bands() -> None:
    """Glaciers of two ages across the rows where strips meet."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.repeat(rng.integers(0, 3, (65, 5)), 20, axis=0), 10, axis=1).astype(np.uint16)
    nowhere = np.zeros(ids.shape, dtype=bool)
    nearest = distance_transform_edt(ids == 0, return_distances=False, return_indices=True)
    band = boundary_distance_px(ids > 0) < np.array([0, 2.5, 7.0])[ids[tuple(nearest)]]
    labels = label_raster(ids, ~nowhere, nowhere, ignore_px=[2.5, 7.0])
    assert (labels == np.where(band, 255, ids > 0)).all()


@pytest.mark.parametrize(
    ("date", "years", "age", "bands"),
    [
        pytest.param("2000-10-30", [2000], 0, (0, 0), id="of the scene's own year"),
        pytest.param("2000-10-01", [2016, 2019, 2020, 2023], 19.5, (39, 390), id="of 2000"),
        pytest.param(None, [2020], 20, (40, 400), id="without a date: the year of the inventory"),
        pytest.param("2024-09-01", [2020], 4, (8, 80), id="later than the scenes"),
    ],
)
def test_the_ignore_bands_follow_from_the_age_of_the_outline(
    date: str | None, years: list[int], age: float, bands: tuple[float, float]
) -> None:
    assert outline_age(date, years) == age
    assert ignore_bands_m(age, LabelsParams()) == bands
    assert ignore_bands_m(age, LabelsParams(boundary_ignore_m=7, terminus_ignore_m=0)) == (7, 0)


def test_outside_the_aoi_nothing_is_labelled() -> None:
    aoi = np.zeros((10, 10), dtype=bool)
    aoi[:5] = True
    labels = label_raster(np.zeros((10, 10), np.uint16), aoi, np.zeros((10, 10), dtype=bool), ignore_px=[1])
    assert (labels[5:] == 255).all()
    assert (labels[:5] == 0).all()


def test_the_wider_band_at_the_terminus_is_a_disk() -> None:
    near = near_points([(480_600.0, 3_099_500.0)], GRID, 200.0)
    assert near.sum() * 100 == pytest.approx(np.pi * 200**2, rel=0.02)
    assert not near_points([(480_600.0, 3_099_500.0)], GRID, 0.0).any()


def test_near_means_within_the_radius_of_any_point() -> None:
    """Pixel centres lie at 5, 15, 25 ... m; both ends count."""
    near = near_points([(480_005.0, 3_099_995.0), (480_105.0, 3_099_995.0)], GRID, 20.0)[:]
    assert np.nonzero(near[0])[0].tolist() == [0, 1, 2, 8, 9, 10, 11, 12]
    assert np.nonzero(near[:, 0])[0].tolist() == [0, 1, 2]
    assert near.sum() == 6 + 9


def outline(**attributes: object) -> object:
    frame = geopandas.GeoDataFrame(
        {"termlon": [attributes.get("termlon")], "termlat": [attributes.get("termlat")]},
        geometry=[square(100, 100, 900, 700)],
        crs=GRID.crs,
    )
    return next(frame.itertuples())


def test_terminus_is_the_given_point() -> None:
    terminus = find_terminus(outline(termlon=86.8, termlat=28.0), GRID.crs, dem=None)
    assert terminus.origin == "given"
    assert terminus.xy is not None and 480_000 < terminus.xy[0] < 490_000


def test_terminus_is_else_the_lowest_point_of_the_dem(tmp_path: Path) -> None:
    elevation = np.tile(np.linspace(6000, 4000, 120, dtype=np.float32), (100, 1))
    elevation[50, :] -= 5
    path = tmp_path / "dem.tif"
    with rasterio.open(path, "w", **profile(GRID, count=1, dtype="float32", nodata=None)) as out:
        out.write(elevation, 1)
    with rasterio.open(path) as dem:
        terminus = find_terminus(outline(), GRID.crs, dem=dem)
    assert terminus.origin == "lowest point"
    assert terminus.xy == pytest.approx((480_895.0, 3_099_495.0), abs=0.01)


def test_terminus_may_be_unknown() -> None:
    assert find_terminus(outline(), GRID.crs, dem=None).origin == "unknown"


@pytest.mark.samples
def test_chhota_shigri_ends_where_its_dem_is_lowest(samples: Path) -> None:
    frame = geopandas.read_file(samples / "rgi-dem" / "RGI50-14.15990.shp").assign(termlon=None, termlat=None)
    with rasterio.open(samples / "rgi-dem" / "dem_chhota_shigri.tif") as dem:
        on_dem = frame.to_crs(dem.crs)
        terminus = find_terminus(next(on_dem.itertuples()), on_dem.crs.to_wkt(), dem=dem)
        assert terminus.xy is not None
        (elevation,) = next(dem.sample([terminus.xy]))
    assert abs(float(elevation) - float(frame.Zmin[0])) < 60  # RGI's own lowest elevation, another DEM
    tongue_y = on_dem.geometry[0].bounds[3]
    assert tongue_y - terminus.xy[1] < 1500  # the glacier flows north


def test_the_stage_writes_what_the_everest_protocol_counts(
    whole_samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlines = geopandas.read_file(next((whole_samples / "everest-landsat7").glob("*.gpkg")))
    site = Path(__file__).resolve().parents[2] / "sites/everest/params.yaml"
    run = stage_inputs(tmp_path, monkeypatch, site, outlines, box(478_000, 3_088_490, 502_000, 3_108_140), "EPSG:32645")
    label(run)
    with rasterio.open(run.out / "glacier_id.tif") as dataset:
        ids = dataset.read(1)
    assert (ids > 0).sum() == 282_802  # PROTOCOL.md: 254.52 km2
    rows = pandas.read_csv(run.out / "glaciers.csv")
    whole = rows.merge(outlines, left_on="rgi_id", right_on="RGIId")
    assert np.allclose(whole.geodesic_area_km2, whole.Area, atol=0.01, rtol=0.005)


def stage_inputs(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: Path,
    outlines: geopandas.GeoDataFrame,
    aoi: Polygon,
    crs: str,
) -> Run:
    """The folder of a site with outlines and AOI as `ingest` leaves them."""
    monkeypatch.chdir(folder)
    (folder / "data/auxiliary").mkdir(parents=True)
    (folder / "out").mkdir()
    names = {"RGIId": "rgi_id", "Name": "glac_name", "Area": "area_km2", "BgnDate": "src_date"}
    ready = outlines.rename(columns=names).assign(termlon=None, termlat=None)
    ready.to_crs("EPSG:4326").to_file(folder / "data/outlines.gpkg")
    geopandas.GeoDataFrame(geometry=[aoi], crs=crs).to_file(folder / "data/aoi.gpkg")
    return Run(CONTRACT, load_params(params), None, folder / "out", logging.getLogger("test"))


def test_no_outline_on_the_grid_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.make_site(tmp_path)
    far = geopandas.read_file(tmp_path / "source/outlines.gpkg")
    far.geometry = far.translate(xoff=2.0)
    aoi = box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 4800, tiny.TOP)
    run = stage_inputs(tmp_path, monkeypatch, tmp_path / "params.yaml", far, aoi, tiny.CRS)
    with pytest.raises(Exception, match="no outline covers a pixel"):
        label(run)


def test_debris_outlines_are_rasterised_where_they_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.make_site(tmp_path)
    glaciers = geopandas.read_file(tmp_path / "source/outlines.gpkg")
    aoi = box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 4800, tiny.TOP)
    run = stage_inputs(tmp_path, monkeypatch, tmp_path / "params.yaml", glaciers, aoi, tiny.CRS)
    label(run)
    assert not (run.out / "debris.tif").exists()
    square = box(tiny.LEFT + 300, tiny.TOP - 900, tiny.LEFT + 600, tiny.TOP - 300)
    debris = geopandas.GeoDataFrame(geometry=[square], crs=tiny.CRS)
    debris.to_crs("EPSG:4326").to_file(tmp_path / "data/auxiliary/debris.gpkg")
    label(run)
    with rasterio.open(run.out / "debris.tif") as dataset:
        debris_mask = dataset.read(1)
    assert debris_mask.sum() == 10 * 20 and debris_mask[10:30, 10:20].all()


def test_debris_outlines_may_touch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.make_site(tmp_path)
    glaciers = geopandas.read_file(tmp_path / "source/outlines.gpkg")
    aoi = box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 4800, tiny.TOP)
    run = stage_inputs(tmp_path, monkeypatch, tmp_path / "params.yaml", glaciers, aoi, tiny.CRS)
    geopandas.GeoDataFrame(geometry=[], crs="EPSG:4326").to_file(tmp_path / "data/auxiliary/debris.gpkg")
    label(run)
    with rasterio.open(run.out / "debris.tif") as dataset:
        assert not dataset.read(1).any()


def test_an_outline_under_two_ids_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pixel has one glacier: the other one would have 0 km2."""
    tiny.make_site(tmp_path)
    glaciers = geopandas.read_file(tmp_path / "source/outlines.gpkg")
    doubled = pandas.concat([glaciers, glaciers.iloc[:1].assign(RGIId="copy")])
    aoi = box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 4800, tiny.TOP)
    run = stage_inputs(tmp_path, monkeypatch, tmp_path / "params.yaml", doubled, aoi, tiny.CRS)
    with pytest.raises(ContractError, match="nothing is left of its glacier") as caught:
        label(run)
    assert caught.value.where.endswith(f", {glaciers.RGIId[0]}")
    assert caught.value.found.endswith("all of them under copy")


def test_training_learns_from_drawn_outlines_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first glacier was drawn as its western half in 2019 and 2020: the training year's counts, without a band."""
    tiny.make_site(tmp_path)
    glaciers = geopandas.read_file(tmp_path / "source/outlines.gpkg")
    aoi = box(tiny.LEFT, tiny.TOP - 4800, tiny.LEFT + 4800, tiny.TOP)
    run = stage_inputs(tmp_path, monkeypatch, tmp_path / "params.yaml", glaciers, aoi, tiny.CRS)
    label(run)
    before = {path.name: path.read_bytes() for path in run.out.iterdir()}
    whole = tiny.outlines()[0]
    left, bottom, right, top = whole.bounds
    halves = [box(left, bottom, left + 300, top), whole.intersection(box(left, bottom, (left + right) / 2, top))]
    geopandas.GeoDataFrame(
        {"rgi_id": "RGI60-15.00001", "year": [2019, 2020], "by": "A. Person", "at": "2026-11-28T23:00:00Z"},
        geometry=halves, crs=tiny.CRS,
    ).to_crs("EPSG:4326").to_file("data/auxiliary/review.gpkg")  # fmt: skip
    label(run)
    assert {path.name: path.read_bytes() for path in run.out.iterdir()} == before
    learning = run.params.labels.model_copy(update={"learn_from_review": True, "boundary_ignore_m": "by_age"})
    label(replace(run, params=run.params.model_copy(update={"labels": learning})))
    with rasterio.open(run.out / "held_out.tif") as dataset:
        taught = dataset.read(1)
    expected = glacier_ids([halves[1], tiny.outlines()[1]], read_grid(run.out / "held_out.tif"))
    assert ((taught == 1) == (expected > 0)).mean() > 0.999
    assert (run.out / "glacier_id.tif").read_bytes() == before["glacier_id.tif"]
