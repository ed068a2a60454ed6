"""Passes of a year kept apart: which scenes are one, what is written of each, and what stays as it was."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from stages.common.run import stage
from stages.common.tables.kinds import PASS_SCENE, PASS_VALID
from stages.common.tables.prepare import Passes
from stages.prepare.contract import CONTRACT
from stages.prepare.prepare import prepare
from tests.prepare.scenes import BANDS, SIZE, cloud, grid, layer, run, store, texture

YEAR = Path("artifacts/prepare/2020")
OCTOBER, LATER = dt.date(2020, 10, 15), dt.date(2020, 11, 4)


@pytest.fixture
def separate(site: Path) -> Path:
    path = site / "params.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    content["prepare"]["passes"] = "separate"
    path.write_text(yaml.safe_dump(content))
    return site


def listed() -> Passes:
    return Passes.model_validate_json((YEAR / "passes.json").read_text())


def read(number: int) -> tuple[np.ndarray, np.ndarray]:
    folder = YEAR / "passes" / str(number)
    PASS_SCENE.check(folder / "scene.tif")
    PASS_VALID.check(folder / "valid.tif")
    with rasterio.open(folder / "scene.tif") as scene, rasterio.open(folder / "valid.tif") as valid:
        return scene.read(), valid.read(1)


def two_days() -> None:
    """An October day of two tiles, and a later one with a cloud over the upper rows."""
    hidden = np.zeros((SIZE, SIZE), "uint8")
    hidden[:20] = 1
    store(
        ("left", [layer(name, texture(1), grid(-20)) for name in BANDS]),
        ("later", [*(layer(name, texture(3)) for name in BANDS), cloud(hidden)]),
        ("right", [layer(name, texture(2), grid(40)) for name in BANDS]),
        days={"left": OCTOBER, "right": OCTOBER, "later": LATER},
    )


def test_tiles_of_a_day_are_one_pass_and_another_day_is_another(separate: Path) -> None:
    two_days()
    _, valid, _ = run()
    first, second = listed().passes
    assert (first.number, first.date, first.scene_ids, first.valid_fraction) == (1, "2020-10-15", ["left", "right"], 1)
    assert (second.number, second.date, second.scene_ids) == (2, "2020-11-04", ["later"])
    assert second.valid_fraction == pytest.approx(2 / 3, abs=1e-6)
    october, october_valid = read(1)
    assert october_valid.all()
    assert (october[0, :, :40] == texture(1)[:, 20:]).all()
    assert (october[0, :, 40:] == texture(2)[:, :20]).all()
    november, november_valid = read(2)
    assert (november_valid[:20] == 0).all() and november_valid[20:].all()
    assert (november[0] == np.where(november_valid, texture(3), 0)).all()
    assert (valid == (october_valid | november_valid)).all()  # what the year has seen is what any pass has


def test_the_years_own_scene_is_the_same_bytes_whether_passes_are_kept_or_not(site: Path) -> None:
    two_days()
    run()
    assert sorted(path.name for path in YEAR.iterdir()) == ["provenance.json", "scene.tif", "valid.tif"]
    before = {path.name: path.read_bytes() for path in YEAR.iterdir()}
    content = yaml.safe_load((site / "params.yaml").read_text())
    content["prepare"]["passes"] = "separate"
    (site / "params.yaml").write_text(yaml.safe_dump(content))
    run()
    assert {name: (YEAR / name).read_bytes() for name in before} == before
    assert len(list(YEAR.rglob("*.tif"))) == 2 + 4


def test_one_pass_alone_is_the_years_scene_and_nothing_more(separate: Path) -> None:
    store(*((name, [layer(band, 3000) for band in BANDS]) for name in ("a", "b")), days={"a": OCTOBER, "b": OCTOBER})
    run()
    assert not (YEAR / "passes.json").exists()


def test_scenes_without_a_day_cannot_be_told_apart(separate: Path) -> None:
    store(*((name, [layer(band, 3000) for band in BANDS]) for name in ("a", "b")))
    run()
    assert not (YEAR / "passes.json").exists()


def test_one_day_from_two_orbits_is_two_passes(separate: Path) -> None:
    scenes = store(*((name, [layer(band, 3000) for band in BANDS]) for name in ("a", "b")),
                   days={"a": OCTOBER, "b": OCTOBER}, relative_orbit=19)  # fmt: skip
    item = Path(f"data/scenes/2020/{scenes[1].info.id}/{scenes[1].info.id}.json")
    content = json.loads(item.read_text())
    content["properties"]["sat:relative_orbit"] = 62
    item.write_text(json.dumps(content))
    run()
    assert [each_pass.relative_orbit for each_pass in listed().passes] == [19, 62]


def test_more_passes_than_have_numbers_are_refused(separate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"s{index:02d}" for index in range(21)]
    days = {name: OCTOBER + dt.timedelta(days=index) for index, name in enumerate(names)}
    store(*((name, [layer(band, 3000) for band in BANDS]) for name in names), days=days)
    assert stage.main(CONTRACT, prepare, ["--year", "2020"]) == 2
    message = capsys.readouterr().err
    assert "too many passes" in message and "found:    21" in message
    assert not YEAR.exists()
