"""Files by their MD5 from a real cache and a real remote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.repository import done, init
from versions.compare.objects import Objects, dep_md5, out_md5

LOCK = {
    "predict@2020": {
        "deps": [
            {"path": "artifacts/train/model.onnx", "md5": "m"},
            {"path": "artifacts/prepare/2020", "md5": "p.dir"},
        ],
        "outs": [{"path": "artifacts/predict/2020", "md5": "o.dir"}],
    }
}


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[Path, str]:
    """A repository whose folder is pushed, and gone from the cache; and the folder's MD5."""
    site = tmp_path / "site"
    (site / "maps").mkdir(parents=True)
    for name in ("one", "two"):
        (site / "maps" / name).write_text(name)
    init(site)
    done(site, "dvc", "remote", "add", "--default", "there", str(tmp_path / "remote"))
    done(site, "dvc", "add", "--quiet", "maps")
    done(site, "dvc", "push", "--quiet")
    return site, yaml.safe_load((site / "maps.dvc").read_text())["outs"][0]["md5"]


def test_a_folder_comes_from_the_remote_where_the_cache_lacks_it(tracked: tuple[Path, str]) -> None:
    site, md5 = tracked
    shutil.rmtree(site / ".dvc/cache")
    shutil.rmtree(site / "maps")
    objects = Objects(site)
    files = objects.folder(md5)
    assert files is not None
    assert {name: path.read_text() for name, path in files.items()} == {"one": "one", "two": "two"}
    assert not (site / "maps").exists()
    objects.close()


def test_what_neither_has_is_nothing(tracked: tuple[Path, str]) -> None:
    site, md5 = tracked
    shutil.rmtree(site.parent / "remote")
    objects = Objects(site)
    assert objects.file("0" * 32) is None
    assert objects.folder("0" * 32 + ".dir") is None
    (site / ".dvc/cache/files/md5" / "f9").mkdir(exist_ok=True)
    gone = objects.file(objects.listing(md5)["one"])
    assert gone is not None
    gone.unlink()
    assert objects.folder(md5) is None
    objects.close()


def test_the_lock_says_what_a_stage_took_and_gave() -> None:
    assert dep_md5(LOCK, "predict@2020", "model.onnx") == "m"
    assert dep_md5(LOCK, "predict@2020", "prepare/2020") == "p.dir"
    assert dep_md5(LOCK, "predict@2021", "model.onnx") is None
    assert out_md5(LOCK, "predict@2020") == "o.dir"
    assert out_md5(LOCK, "area") is None
