"""Documents of DVC and the stages: what they hold, and one message where they are not valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.common.run.documents import locked_stages, parse_json, parse_yaml, pinned_outputs, read_json, read_yaml

CONFLICT = "<<<<<<< HEAD\nstages: {}\n=======\nstages: {a: 1}\n>>>>>>> main\n"


def test_an_absent_or_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").touch()
    assert read_yaml(tmp_path / "empty.yaml") == read_yaml(tmp_path / "absent") == read_json(tmp_path / "absent") == {}


def test_names_and_values_are_read(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("stages: {area: {cmd: run}}\n")
    (tmp_path / "area.json").write_text('{"slope": null}')
    assert read_yaml(tmp_path / "dvc.lock") == {"stages": {"area": {"cmd": "run"}}}
    assert read_json(tmp_path / "area.json") == {"slope": None}


@pytest.mark.parametrize(
    "content", [CONFLICT, "a:\n\t- 1\n", "- 1\n", b"\xff\xfe\x00"], ids=["merge", "tab", "list", "bytes"]
)
def test_what_is_not_yaml_with_names_is_one_message(content: str | bytes) -> None:
    with pytest.raises(InputError, match=r"dvc\.lock is not valid YAML") as caught:
        parse_yaml(content, Path("sites/everest/dvc.lock"))
    assert caught.value.where == "sites/everest/dvc.lock"
    assert "git checkout -- dvc.lock" in caught.value.fix


@pytest.mark.parametrize("content", [CONFLICT, "[1]", "3"])
def test_what_is_not_json_with_names_is_one_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "area.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"area\.json is not valid JSON"):
        read_json(path)


def test_outputs_and_stages_as_dvc_writes_them(tmp_path: Path) -> None:
    (tmp_path / "data.dvc").write_text("outs:\n- md5: abc\n  path: data/aoi.gpkg\n")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages:\n  area:\n    cmd: run\n")
    assert pinned_outputs(tmp_path / "data.dvc") == [{"md5": "abc", "path": "data/aoi.gpkg"}]
    assert locked_stages(tmp_path / "dvc.lock") == {"area": {"cmd": "run"}}
    assert pinned_outputs(tmp_path / "absent.dvc") == [] and locked_stages(tmp_path / "absent.lock") == {}


@pytest.mark.parametrize("content", ["outs: 3\n", "outs: {path: data}\n", "outs: [data]\n", "outs: [{md5: abc}]\n"])
def test_a_pointer_of_another_shape_is_one_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.dvc"
    path.write_text(content)
    with pytest.raises(InputError, match=r"data\.dvc is not valid YAML as DVC writes it"):
        pinned_outputs(path)


@pytest.mark.parametrize("content", ["stages: [area]\n", "stages: {area: 3}\n", "stages: area\n"])
def test_a_lock_of_another_shape_is_one_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "dvc.lock"
    path.write_text(content)
    with pytest.raises(InputError, match=r"dvc\.lock is not valid YAML as DVC writes it"):
        locked_stages(path)


def test_metrics_of_a_revision_that_are_not_json_are_one_message() -> None:
    with pytest.raises(InputError, match=r"area\.json is not valid JSON"):
        parse_json(CONFLICT.encode(), "main: metrics/area.json")
