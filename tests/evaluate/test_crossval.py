"""Pooling of made-up folds: known answers, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
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
from stages.evaluate.folds import NO_FOLD, Fold, extend_to_nearest, owners
from stages.patches.windows import Scene, cut
from tests.evaluate import labelled

SURE = np.where(labelled.ids() > 0, 0.9, 0.1)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    labelled.write_site(tmp_path, folds=[0, 1, 2])
    for fold in range(labelled.FOLDS):
        labelled.write_fold(tmp_path, fold, SURE)
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
    metrics = pooled(site)
    assert metrics["complete"] and metrics["gap_km2"] == 0
    assert (metrics["glaciers"], metrics["glacier_iou_median"], metrics["glacier_area_bias_median_pct"]) == (2, 1, 0)
    assert metrics["model"]["iou"] == metrics["baseline_threshold"]["iou"] == 1
    assert metrics["test_area_km2"] == pytest.approx(labelled.SIDE_PX**2 * 9e-4, rel=2e-3)
    assert metrics["model_interval"]["blocks"] == len(table(site, "blocks")) == labelled.BLOCKS**2
    assert (read_band(site / "artifacts/crossval/mask.tif") == (labelled.ids() > 0)).all()
    assert [row["held_out_fraction"] for row in table(site, "glacier_scores")] == ["1.0", "1.0"]
    assert metrics["expected_calibration_error"] == pytest.approx(0.1, abs=1e-5)
    printed = capsys.readouterr().out
    assert "all folds (0, 1, 2)" in printed and "everything is glacier" in printed


def test_each_fold_has_its_own_threshold_and_temperature(site: Path) -> None:
    labelled.write_fold(site, 1, np.where(labelled.ids() > 0, 0.6, 0.4), threshold=0.7, temperature=4.0)
    metrics = pooled(site)
    recalls = [fold["model"]["recall"] for fold in metrics["folds"]]
    assert recalls == [1, 0, 1]
    missed = int((labelled.roles(1)[labelled.ids() == 1] == TEST).sum())
    assert metrics["model"]["recall"] == pytest.approx(1 - missed / int((labelled.ids() > 0).sum()))
    assert metrics["expected_calibration_error"] > metrics["expected_calibration_error_uncalibrated"]


@pytest.mark.parametrize("level", [0.5, 0.7107, 0.8, 0.9])
def test_a_pixel_at_the_threshold_is_glacier(site: Path, level: float) -> None:
    """Of the model and of the baseline's rule; a level just below is not."""
    for fold in range(labelled.FOLDS):
        labelled.write_fold(
            site,
            fold,
            np.where(labelled.ids() > 0, level, level - 1e-4),
            threshold=level,
            baseline_threshold_value=200.0,
        )
    metrics = pooled(site)
    assert metrics["model"]["iou"] == metrics["baseline_threshold"]["iou"] == 1
    curve = {row["threshold"]: row for row in table(site, "precision_recall")}
    assert level == 0.7107 or float(curve[str(level)]["iou"]) == 1


def test_of_folds_that_hold_out_as_much_of_a_glacier_the_first_is_taken(site: Path) -> None:
    twice = np.ones(labelled.GRID.shape, dtype=bool)
    nothing = {"probability": SURE.astype(np.float32), "outside": ~twice, "metrics": None}
    folds = [Fold(number=number, region=twice, **nothing) for number in (0, 1)]
    assert (owners(folds, labelled.ids()) == 0).all()


def test_recall_by_surface_is_a_metric(site: Path) -> None:
    """Debris over the left half of the large glacier; none of it is mapped."""
    debris = np.zeros(labelled.GRID.shape, dtype=np.uint8)
    debris[10:70, 10:40] = 1
    write_cog(site / "artifacts/labels/debris.tif", debris, labelled.GRID, nodata=None)
    for fold in range(labelled.FOLDS):
        labelled.write_fold(site, fold, np.where((labelled.ids() > 0) & (debris == 0), 0.9, 0.1))
    metrics = pooled(site)
    assert (metrics["clean_recall"], metrics["debris_recall"]) == (1, 0)


def test_a_small_glacier_is_taken_from_the_fold_that_holds_it_out_whole(site: Path) -> None:
    labelled.write_fold(site, 0, np.where(labelled.ids() == 2, 0.0, SURE))
    small = next(row for row in table_after(site, "glacier_scores") if row["rgi_id"].endswith("2"))
    assert float(small["recall"]) == 0
    with open_raster(site / "artifacts/crossval/held_out.tif") as dataset:
        assert (dataset.read(1)[labelled.ids() == 2] == 0).all()


def table_after(site: Path, name: str) -> list[dict[str, str]]:
    pooled(site)
    return table(site, name)


def test_some_folds_make_a_partial_map_that_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = (site / "params.yaml").read_text()
    (site / "params.yaml").write_text(params.replace("  folds:\n  - 0\n  - 1\n  - 2\n", "  folds:\n  - 0\n  - 2\n"))
    shutil.rmtree(site / "artifacts/folds/1")
    metrics = pooled(site)
    tested = (labelled.roles(0) == TEST) | (labelled.roles(2) == TEST)
    assert not metrics["complete"] and metrics["gap_km2"] == pytest.approx((~tested).sum() * 9e-4, rel=2e-3)
    assert ((read_band(site / "artifacts/crossval/mask.tif") == 255) == ~tested).all()
    assert metrics["model"]["iou"] == 1 and metrics["model"]["boundary_distance_m"] == 0
    printed = capsys.readouterr().out
    assert "PARTIAL: 2 of 3 folds (0, 2)" in printed and "in no fold that ran" in printed


def test_folds_other_than_those_listed_are_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site / "artifacts/folds/1").rename(site / "artifacts/folds/4")
    assert main(CONTRACT, crossval, []) == 2
    printed = capsys.readouterr().err
    assert "crossval.folds" in printed and "expected: 0, 1, 2" in printed and "found:    0, 2, 4" in printed
    assert not (site / "artifacts/crossval").exists()


def retouch(path: Path, value: int, where: np.ndarray) -> None:
    with open_raster(path) as dataset:
        pixels, nodata, scale = dataset.read(1), dataset.nodata, dataset.scales[0]
    pixels[where] = value
    write_cog(path, pixels, labelled.GRID, nodata=nodata, scale=scale)


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
    block = np.zeros(labelled.GRID.shape, dtype=bool)
    block[:20, :20] = True  # block (0, 0) is one of fold 0
    retouch(site / "artifacts/folds/0" / file, value, block)
    assert main(CONTRACT, crossval, []) == 2
    assert message in capsys.readouterr().err
    assert not (site / "artifacts/crossval").exists()


def test_a_map_of_what_its_training_saw_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = np.zeros(labelled.GRID.shape, dtype=bool)
    block[:20, 20:40] = True  # block (0, 1) is one of fold 1, and fold 0 learned from it
    retouch(site / "artifacts/folds/0/held_out.tif", 9000, block)
    assert main(CONTRACT, crossval, []) == 2
    assert "400 pixels that differ" in capsys.readouterr().err


def test_training_refuses_a_split_that_is_not_that_of_its_patches() -> None:
    """A fold's patches under another fold's split: they show what is to be tested."""
    scene = labelled.scene()
    pixels, glacier = Scene.of(labelled.brightness()), scene.truth[:].astype(np.uint8)
    patches = cut(pixels, scene.valid, glacier, labelled.roles(0), labelled.PATCHES, use="train").in_memory()
    check_no_leak(patches, labelled.roles(0), use="train", where=Path("train.npz"))
    with pytest.raises(ContractError, match="a train patch shows imagery of held-out pixels"):
        check_no_leak(patches, labelled.roles(1), use="train", where=Path("train.npz"))


def test_no_boundary_runs_along_a_gap() -> None:
    mapped, region = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    mapped[:, :4], region[:, :4] = True, True
    assert extend_to_nearest(mapped, region).all()
    nothing = np.zeros_like(region)
    assert (extend_to_nearest(mapped, nothing) == mapped).all()
    assert NO_FOLD < 0
