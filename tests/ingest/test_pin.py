"""The list of outputs in data.dvc."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from stages.common.errors import InputError
from stages.ingest import pin
from tests.ingest import spoil
from tests.ingest.test_ingest import ingest


def test_entries_that_stay_keep_their_hashes(tmp_path: Path) -> None:
    path = tmp_path / "data.dvc"
    assert pin.write_pin([2020], path)
    content = yaml.safe_load(path.read_text())
    for entry in content["outs"]:
        entry["md5"] = "0" * 32
    path.write_text(yaml.safe_dump(content, sort_keys=False))

    assert pin.write_pin([2020, 2021], path)

    hashes = {entry["path"]: entry.get("md5") for entry in yaml.safe_load(path.read_text())["outs"]}
    assert list(hashes) == pin.pinned_paths([2020, 2021])
    assert [name for name, md5 in hashes.items() if md5 is None] == ["data/scenes/2021"]


def test_the_same_list_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "data.dvc"
    pin.write_pin([2020], path)
    path.write_text("# a remark\n" + path.read_text())
    assert not pin.write_pin([2020], path)
    assert path.read_text().startswith("# a remark")


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\nouts: []\n=======\n>>>>>>> main\n", "outs: 3\n"])
def test_a_pin_that_a_merge_has_spoilt_is_not_overwritten(content: str, tmp_path: Path) -> None:
    path = tmp_path / "data.dvc"
    path.write_text(content)
    with pytest.raises(InputError, match=r"data\.dvc is not valid YAML"):
        pin.write_pin([2020], path)
    assert path.read_text() == content


def test_dvc_takes_it(site: Path) -> None:
    from dvc.repo import Repo

    repo = Repo.init(no_scm=True)
    repo.commit("data.dvc", force=True)
    assert repo.status(["data.dvc"]) == {}
    two_years = (site / "data.dvc").read_text().splitlines()

    # Another year: the other entries stay as they are.
    shutil.copy(site / "source/2020.tif", site / "source/2022.tif")
    scene = {"path": "source/2022.tif", "date": "2022-10-15", "bands": tiny.BANDS}
    ingest(site, spoil.setting([2020, 2021, 2022], "years"), lambda _, params: spoil.scenes(params).append(scene))

    (changed,) = repo.status(["data.dvc"])["data.dvc"]
    assert set(changed["changed outs"]) == {"data/scenes/2022", "data/catalog.json", "data/scene_choice.csv"}
    repo.commit("data.dvc", force=True)
    three_years = (site / "data.dvc").read_text().splitlines()
    assert len([line for line in two_years if line not in three_years]) == 4  # hash and size of catalogue and table
    assert repo.status(["data.dvc"]) == {}
