"""Every input that is damaged ends `train` with exit code 2 and a message that names the file, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run import stage
from stages.common.run.outputs import write_json
from stages.common.tables.learning import PatchStats
from stages.train.contract import CONTRACT
from tests.damage import DAMAGES

GRID = Grid(tiny.CRS, Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP), 64, 64)
FOLDER = Path("artifacts/patches/2020")
INPUTS = ("train.npz", "validation.npz", "calibration.npz", "split.tif", "stats.json")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of which `train` has all its inputs; the working directory."""
    monkeypatch.chdir(tmp_path)
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020]))
    FOLDER.mkdir(parents=True)
    plane, place = np.zeros((2, 16, 16), dtype=np.uint8), np.zeros(2, dtype=np.int32)
    for name in INPUTS[:3]:
        image = np.zeros((2, 16, 16, 3), dtype=np.uint8)
        np.savez_compressed(FOLDER / name, image=image, label=plane, visible=plane, row=place, column=place)
    write_cog(FOLDER / "split.tif", np.zeros(GRID.shape, dtype=np.uint8), GRID, nodata=None)
    stats = PatchStats(
        year=2020, bands=tiny.BANDS, scale=1.0, offset=0.0, mean=[1.0] * 3, std=[1.0] * 3, pixels=9,
        training_patches=2, validation_patches=2, patches_without_glacier=0, glacier_fraction=0.5, buffer_px=4,
    )  # fmt: skip
    write_json(FOLDER / "stats.json", stats)
    return tmp_path


class ReachedTheWorkError(Exception):
    """All inputs have passed."""


def work(_: stage.Run) -> None:
    raise ReachedTheWorkError


def test_whole_inputs_pass(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage.main(CONTRACT, work, []) == 3
    assert "ReachedTheWork" in capfd.readouterr().err


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", INPUTS)
def test_a_damaged_input_is_refused(
    name: str, damage: Callable[[Path], None], site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(site / FOLDER / name)
    assert stage.main(CONTRACT, work, []) == 2
    message = capfd.readouterr().err
    assert name in message and "fix:" in message
    assert "Traceback" not in message
    assert not Path("artifacts/train").exists()
