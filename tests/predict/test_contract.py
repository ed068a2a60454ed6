"""Every input that is damaged ends `predict` with exit code 2 and a message that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from sandbox import tiny
from stages.common.geo.grid import Grid
from stages.common.geo.raster import write_cog
from stages.common.run import stage
from stages.predict.contract import CONTRACT
from stages.predict.predict import predict
from tests.damage import DAMAGES

GRID = Grid(tiny.CRS, Affine(tiny.PIXEL_M, 0, tiny.LEFT, 0, -tiny.PIXEL_M, tiny.TOP), 64, 64)
INPUTS = ("artifacts/train/model.onnx", "artifacts/prepare/2020/scene.tif", "artifacts/prepare/2020/valid.tif")


@pytest.fixture
def site(tmp_path: Path, onnx_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of which `predict` has all its inputs; the working directory."""
    tiny.write_params(tmp_path, tiny.params(tmp_path, [2020]))
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    # Noise in small steps: it is compressed, so that a spoilt tile cannot be unpacked.
    pixels = np.random.default_rng(0).integers(100, 104, (3, *GRID.shape), dtype=np.uint8)
    write_cog(tmp_path / INPUTS[1], pixels, GRID, nodata=None, bands=["red", "green", "blue"])
    write_cog(tmp_path / INPUTS[2], np.ones(GRID.shape, dtype=np.uint8), GRID, nodata=None)
    shutil.copy(onnx_model, tmp_path / INPUTS[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", INPUTS)
def test_a_damaged_input_is_refused(
    name: str, damage: Callable[[Path], None], site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(site / name)
    assert stage.main(CONTRACT, predict, ["--year", "2020"]) == 2
    message = capfd.readouterr().err
    assert Path(name).name in message and "fix:" in message
    assert "Traceback" not in message
    assert not Path("artifacts/predict").exists() or not list(Path("artifacts/predict").iterdir())
