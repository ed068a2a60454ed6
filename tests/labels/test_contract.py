"""Every input that is damaged ends `labels` with exit code 2 and a message that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_band, write_cog
from stages.common.geo.vectors import write_polygons
from stages.common.run import stage
from stages.common.run.outputs import write_json
from stages.common.tables.data import AuxiliaryManifest
from stages.common.tables.kinds import IGNORE, RGI7_COLUMNS
from stages.labels.contract import CONTRACT
from stages.labels.label import label
from tests.damage import DAMAGES


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which `labels` has all its inputs."""
    folder, size, px = tmp_path_factory.mktemp("site"), tiny.SIZE_PX, tiny.PIXEL_M
    (folder / "data/auxiliary").mkdir(parents=True)
    tiny.write_params(folder, tiny.params(folder, [2020]))
    aoi = shapely.box(tiny.LEFT, tiny.TOP - size * px, tiny.LEFT + size * px, tiny.TOP)
    write_polygons(folder / "data/aoi.gpkg", geopandas.GeoDataFrame(geometry=[aoi], crs=tiny.CRS), layer="aoi")
    shapes = tiny.outlines()
    columns = {name: [f"g{i}" if name == "rgi_id" else None for i in range(len(shapes))] for name in RGI7_COLUMNS}
    outlines = geopandas.GeoDataFrame(columns, geometry=shapes, crs=tiny.CRS)
    write_polygons(folder / "data/outlines.gpkg", outlines, layer="outlines")
    write_polygons(folder / "data/auxiliary/debris.gpkg", outlines[["geometry"]], layer="debris")
    drawn = outlines[["geometry"]].assign(rgi_id="g0", year=2020, by="A. Person", at="2026-11-28T23:00:00Z")
    write_polygons(folder / "data/auxiliary/review.gpkg", drawn, layer="corrections")
    grid = Grid(crs=tiny.CRS, transform=Affine(px, 0, tiny.LEFT, 0, -px, tiny.TOP), height=size, width=size)
    elevation_m = np.random.default_rng(0).normal(5000, 100, (size, size)).astype("float32")
    write_cog(folder / "data/auxiliary/dem.tif", elevation_m, grid, nodata=-32768.0)
    write_json(folder / "data/auxiliary/manifest.json", AuxiliaryManifest(dem="dem.tif", debris="debris.gpkg"))
    return folder


@pytest.fixture
def site(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to spoil; the working directory."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_whole_site_passes(site: Path) -> None:
    assert stage.main(CONTRACT, label, []) == 0
    assert {path.name for path in Path("artifacts/labels").iterdir()} == set(CONTRACT.outputs)


def test_held_out_labels_have_the_boundary_but_not_the_fronts(site: Path) -> None:
    """Training ignores 40 m along the boundary and 100 m around fronts; what judges it ignores the fronts alone."""
    content = tiny.params(site, [2020])
    content["labels"] = {"boundary_ignore_m": 40.0, "terminus_ignore_m": 100.0}
    tiny.write_params(site, content)
    assert stage.main(CONTRACT, label, []) == 0
    folder = Path("artifacts/labels")
    training, held_out, ids = (read_band(folder / f"{name}.tif") for name in ("glacier", "held_out", "glacier_id"))
    ignored, fronts = training == IGNORE, held_out == IGNORE
    disk_px = np.pi * 100**2 / tiny.PIXEL_M**2
    assert 0 < fronts.sum() <= 1.1 * disk_px * len(tiny.outlines())
    assert (ignored & fronts).sum() == fronts.sum() < ignored.sum()
    assert (held_out[~fronts] == (ids[~fronts] > 0)).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", CONTRACT.inputs)
def test_a_damaged_input_is_refused(
    name: str, damage: Callable[[Path], None], site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(site / name)
    assert stage.main(CONTRACT, label, []) == 2
    message = capfd.readouterr().err
    assert Path(name).name in message and "fix:" in message
    assert "Traceback" not in message
    assert not Path("artifacts/labels").exists()
