"""Every input that is damaged ends `patches` with exit code 2 and a message that names the file."""

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
from stages.common.geo.raster import read_band, read_grid, write_cog
from stages.common.geo.vectors import write_polygons
from stages.common.model.split import CALIBRATION, TRAIN, VALIDATION
from stages.common.run import stage
from stages.common.run.records import read_document
from stages.common.tables.kinds import IGNORE
from stages.common.tables.learning import PatchStats
from stages.patches.contract import CONTRACT
from stages.patches.cut import cut_patches
from tests.damage import DAMAGES

FILES = {
    "data/aoi.gpkg",
    "artifacts/prepare/2020/scene.tif",
    "artifacts/prepare/2020/valid.tif",
    "artifacts/labels/glacier.tif",
    "artifacts/labels/held_out.tif",
    "artifacts/labels/glacier_id.tif",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which `patches` has all its inputs."""
    folder, size, px = tmp_path_factory.mktemp("site"), tiny.SIZE_PX, tiny.PIXEL_M
    grid = Grid(crs=tiny.CRS, transform=Affine(px, 0, tiny.LEFT, 0, -px, tiny.TOP), height=size, width=size)
    tiny.write_params(folder, tiny.params(folder, [2020]))
    for path in FILES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    aoi = shapely.box(tiny.LEFT, tiny.TOP - size * px, tiny.LEFT + size * px, tiny.TOP)
    write_polygons(folder / "data/aoi.gpkg", geopandas.GeoDataFrame(geometry=[aoi], crs=tiny.CRS), layer="aoi")
    scene = tiny.scene(2020)
    glacier = (scene[0] > 145).astype(np.uint8)
    prepared, labels = folder / "artifacts/prepare/2020", folder / "artifacts/labels"
    write_cog(prepared / "scene.tif", scene, grid, nodata=None, bands=tiny.BANDS)
    write_cog(prepared / "valid.tif", np.ones_like(glacier), grid, nodata=None)
    for name in ("glacier.tif", "held_out.tif"):
        write_cog(labels / name, glacier, grid, nodata=None)
    write_cog(labels / "glacier_id.tif", glacier.astype(np.uint16), grid, nodata=None)
    return folder


@pytest.fixture
def site(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to spoil; the working directory."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_whole_site_passes(site: Path) -> None:
    assert stage.main(CONTRACT, cut_patches, ["--year", "2020"]) == 0
    assert {path.name for path in Path("artifacts/patches/2020").iterdir()} == set(CONTRACT.outputs)


def test_the_statistics_are_those_of_the_patches_and_of_the_training_pixels(site: Path) -> None:
    assert stage.main(CONTRACT, cut_patches, ["--year", "2020"]) == 0
    folder = Path("artifacts/patches/2020")
    stats = read_document(folder / "stats.json", PatchStats)
    with np.load(folder / "train.npz") as train, np.load(folder / "validation.npz") as validation:
        labels, validation_count = train["label"], len(validation["label"])
    assert (stats.training_patches, stats.validation_patches) == (len(labels), validation_count)
    assert stats.patches_without_glacier == sum(not (label == 1).any() for label in labels) > 0
    assert stats.glacier_fraction == pytest.approx((labels == 1).sum() / (labels <= 1).sum(), abs=1e-6)
    training_pixels = read_band(Path("artifacts/prepare/2020/scene.tif"))[read_band(folder / "split.tif") == TRAIN]
    assert stats.pixels == len(training_pixels)
    assert stats.mean[0] == pytest.approx(training_pixels.mean(), abs=1e-6)
    assert stats.std[0] == pytest.approx(training_pixels.std(), abs=1e-6)


def test_held_out_patches_have_labels_of_their_own(site: Path) -> None:
    """An ignore band of all the ice is for training alone; around a front that moved nobody is judged."""
    path, own = (Path(f"artifacts/labels/{name}.tif") for name in ("glacier", "held_out"))
    glacier, front = read_band(path), np.zeros(read_band(path).shape, dtype=bool)
    front[:, ::3] = True
    write_cog(path, np.where(glacier == 1, IGNORE, glacier).astype(np.uint8), read_grid(own), nodata=None)
    write_cog(own, np.where(front, IGNORE, glacier).astype(np.uint8), read_grid(own), nodata=None)
    assert stage.main(CONTRACT, cut_patches, ["--year", "2020"]) == 0
    folder = Path("artifacts/patches/2020")
    roles = read_band(folder / "split.tif")
    counted = {use: np.load(folder / f"{use}.npz")["label"] for use in ("train", "validation", "calibration")}
    assert not (counted["train"] == 1).any()
    for use, role in (("validation", VALIDATION), ("calibration", CALIBRATION)):
        assert (counted[use] == 1).sum() == ((roles == role) & (glacier == 1) & ~front).sum()
    assert (counted["validation"] == 1).any()


def test_every_input_is_damaged_in_turn() -> None:
    assert {template.replace("{year}", "2020") for template in CONTRACT.inputs} == FILES


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_damaged_input_is_refused(
    name: str, damage: Callable[[Path], None], site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(site / name)
    assert stage.main(CONTRACT, cut_patches, ["--year", "2020"]) == 2
    message = capfd.readouterr().err
    assert Path(name).name in message and "fix:" in message
    assert "Traceback" not in message
    assert not Path("artifacts/patches/2020").exists()
