"""Pooling of made-up folds: known answers, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.common.errors import ContractError
from stages.common.geo.raster import open_raster, read_band, write_cog
from stages.common.model.split import TEST, check_no_leak
from stages.common.run.stage import main
from stages.evaluate.crossval import crossval
from stages.evaluate.crossval_contract import CONTRACT
from stages.evaluate.folds import NO_FOLD, Fold, extended, owners
from stages.patches.windows import cut
from tests.evaluate import made

SURE = np.where(made.ids() > 0, 0.9, 0.1)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made.write_site(tmp_path, folds=[0, 1, 2])
    for fold in range(made.FOLDS):
        made.write_fold(tmp_path, fold, SURE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pooled(site: Path) -> dict[str, Any]:
    assert main(CONTRACT, crossval, []) == 0
    document: dict[str, Any] = json.loads((site / "metrics/crossval.json").read_text())
    return document


def table(site: Path, name: str) -> list[dict[str, str]]:
    with (site / f"artifacts/crossval/{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_all_folds_make_one_whole_map(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = pooled(site)
    assert found["complete"] and found["gap_km2"] == 0
    assert found["model"]["iou"] == found["baseline_threshold"]["iou"] == 1
    assert found["test_area_km2"] == pytest.approx(made.SIDE_PX**2 * 9e-4, rel=2e-3)
    assert found["model_interval"]["blocks"] == len(table(site, "blocks")) == made.BLOCKS**2
    assert (read_band(site / "artifacts/crossval/mask.tif") == (made.ids() > 0)).all()
    assert [row["held_out_fraction"] for row in table(site, "glacier_scores")] == ["1.0", "1.0"]
    assert found["expected_calibration_error"] == pytest.approx(0.1, abs=1e-5)
    said = capsys.readouterr().out
    assert "all folds (0, 1, 2)" in said and "everything is glacier" in said


def test_each_fold_has_its_own_threshold_and_temperature(site: Path) -> None:
    made.write_fold(site, 1, np.where(made.ids() > 0, 0.6, 0.4), threshold=0.7, temperature=4.0)
    found = pooled(site)
    own = [one["model"]["recall"] for one in found["folds"]]
    assert own == [1, 0, 1]
    missed = int((made.roles(1)[made.ids() == 1] == TEST).sum())
    assert found["model"]["recall"] == pytest.approx(1 - missed / int((made.ids() > 0).sum()))
    assert found["expected_calibration_error"] > found["expected_calibration_error_uncalibrated"]


@pytest.mark.parametrize("level", [0.5, 0.7107, 0.8, 0.9])
def test_a_pixel_at_the_threshold_is_glacier(site: Path, level: float) -> None:
    """Of the model and of the baseline's rule; a level just below is not."""
    for fold in range(made.FOLDS):
        made.write_fold(
            site, fold, np.where(made.ids() > 0, level, level - 1e-4), threshold=level, baseline_threshold_value=200.0
        )
    found = pooled(site)
    assert found["model"]["iou"] == found["baseline_threshold"]["iou"] == 1
    curve = {row["threshold"]: row for row in table(site, "precision_recall")}
    assert level == 0.7107 or float(curve[str(level)]["iou"]) == 1


def test_of_folds_that_hold_out_as_much_of_a_glacier_the_first_is_taken(site: Path) -> None:
    twice = np.ones(made.GRID.shape, dtype=bool)
    nothing = {"probability": SURE.astype(np.float32), "outside": ~twice, "metrics": None}
    folds = [Fold(number=number, region=twice, **nothing) for number in (0, 1)]
    assert (owners(folds, made.ids()) == 0).all()


def test_a_small_glacier_is_taken_from_the_fold_that_holds_it_out_whole(site: Path) -> None:
    made.write_fold(site, 0, np.where(made.ids() == 2, 0.0, SURE))
    small = next(row for row in table_after(site, "glacier_scores") if row["rgi_id"].endswith("2"))
    assert float(small["recall"]) == 0
    with open_raster(site / "artifacts/crossval/held_out.tif") as dataset:
        assert (dataset.read(1)[made.ids() == 2] == 0).all()


def table_after(site: Path, name: str) -> list[dict[str, str]]:
    pooled(site)
    return table(site, name)


def test_some_folds_make_a_partial_map_that_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = (site / "params.yaml").read_text()
    (site / "params.yaml").write_text(params.replace("  folds:\n  - 0\n  - 1\n  - 2\n", "  folds:\n  - 0\n  - 2\n"))
    one = site / "artifacts/folds/1"
    for file in one.iterdir():
        file.unlink()
    one.rmdir()
    found = pooled(site)
    there = (made.roles(0) == TEST) | (made.roles(2) == TEST)
    assert not found["complete"] and found["gap_km2"] == pytest.approx((~there).sum() * 9e-4, rel=2e-3)
    assert ((read_band(site / "artifacts/crossval/mask.tif") == 255) == ~there).all()
    assert found["model"]["iou"] == 1 and found["model"]["boundary_distance_m"] == 0
    said = capsys.readouterr().out
    assert "PARTIAL: 2 of 3 folds (0, 2)" in said and "in no fold that ran" in said


def test_folds_other_than_those_listed_are_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "artifacts/folds/1").rename(site / "artifacts/folds/4")
    assert main(CONTRACT, crossval, []) == 2
    said = capsys.readouterr().err
    assert "crossval.folds" in said and "expected: 0, 1, 2" in said and "found:    0, 2, 4" in said
    assert not (site / "artifacts/crossval").exists()


def retouch(path: Path, value: int, where: np.ndarray) -> None:
    with open_raster(path) as dataset:
        pixels, nodata, scale = dataset.read(1), dataset.nodata, dataset.scales[0]
    pixels[where] = value
    write_cog(path, pixels, made.GRID, nodata=nodata, scale=scale)


@pytest.mark.parametrize(
    ("file", "value", "message"),
    [
        pytest.param("split.tif", 0, "does not test all of its blocks", id="its own test block was training"),
        pytest.param("held_out.tif", 65535, "not that of its test pixels", id="a test block is not mapped"),
    ],
)
def test_a_tampered_fold_is_refused(
    site: Path, capsys: pytest.CaptureFixture[str], file: str, value: int, message: str
) -> None:
    block = np.zeros(made.GRID.shape, dtype=bool)
    block[:20, :20] = True  # block (0, 0) is one of fold 0
    retouch(site / "artifacts/folds/0" / file, value, block)
    assert main(CONTRACT, crossval, []) == 2
    assert message in capsys.readouterr().err
    assert not (site / "artifacts/crossval").exists()


def test_a_map_of_what_its_training_saw_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = np.zeros(made.GRID.shape, dtype=bool)
    block[:20, 20:40] = True  # block (0, 1) is one of fold 1, and fold 0 learned from it
    retouch(site / "artifacts/folds/0/held_out.tif", 9000, block)
    assert main(CONTRACT, crossval, []) == 2
    assert "400 pixels that differ" in capsys.readouterr().err


def test_training_refuses_a_split_that_is_not_that_of_its_patches() -> None:
    """A fold's patches under another fold's split: they show what is to be tested."""
    scene = made.scene()
    pixels, valid = scene.pixels.astype(np.uint8), scene.valid
    patches = cut(pixels, valid, scene.truth.astype(np.uint8), made.roles(0), made.PATCHES, use="train")
    check_no_leak(patches, made.roles(0), use="train", where=Path("train.npz"))
    with pytest.raises(ContractError, match="a train patch shows imagery of held-out pixels"):
        check_no_leak(patches, made.roles(1), use="train", where=Path("train.npz"))


def test_no_boundary_runs_along_a_gap() -> None:
    mapped, region = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    mapped[:, :4], region[:, :4] = True, True
    assert extended(mapped, region).all()
    nothing = np.zeros_like(region)
    assert (extended(mapped, nothing) == mapped).all()
    assert NO_FOLD < 0
