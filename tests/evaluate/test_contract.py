"""Every input that is damaged ends the cross-validation, or the reading of a scene, with exit code 2 and its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages.common.run import stage
from stages.evaluate.crossval import crossval
from stages.evaluate.crossval_contract import CONTRACT
from tests.damage import DAMAGES
from tests.evaluate import labelled

INPUTS = (
    "artifacts/folds/1/held_out.tif", "artifacts/folds/1/split.tif", "artifacts/folds/1/evaluate.json",
    "artifacts/prepare/2020/scene.tif", "artifacts/prepare/2020/valid.tif", "artifacts/labels/glacier.tif",
    "artifacts/labels/glacier_id.tif", "artifacts/labels/glaciers.csv",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", INPUTS)
def test_a_damaged_input_is_refused(
    name: str,
    damage: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    labelled.write_site(tmp_path, folds=[0, 1, 2])
    for fold in range(labelled.FOLDS):
        labelled.write_fold(tmp_path, fold, np.where(labelled.ids() > 0, 0.9, 0.1))
    monkeypatch.chdir(tmp_path)
    damage(tmp_path / name)
    assert stage.main(CONTRACT, crossval, []) == 2
    message = capfd.readouterr().err
    assert Path(name).name in message and "fix:" in message
    assert "Traceback" not in message
    assert not (tmp_path / "artifacts/crossval").exists()
