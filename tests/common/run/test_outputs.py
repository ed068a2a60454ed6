"""Outputs appear whole or not at all."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from stages.common.run.outputs import atomic_folder, write_arrays, write_json, write_table
from stages.common.run.records import read_rows
from stages.common.run.replace import SCRATCH

FOLDER = Path("artifacts/predict/2020")


@pytest.fixture(autouse=True)
def in_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_folder_appears_at_the_end() -> None:
    with atomic_folder(FOLDER) as out:
        (out / "mask.tif").write_text("x")
        assert not FOLDER.exists()
    assert (FOLDER / "mask.tif").read_text() == "x"
    assert not list(SCRATCH.iterdir())


def test_an_error_leaves_nothing_and_loses_nothing() -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "old.csv").write_text("kept")
    with pytest.raises(RuntimeError), atomic_folder(FOLDER) as out:
        (out / "half.csv").write_text("x")
        raise RuntimeError
    assert [path.name for path in FOLDER.iterdir()] == ["old.csv"]
    assert not list(SCRATCH.iterdir())


def test_what_a_killed_run_left_is_not_mixed_in() -> None:
    with pytest.raises(RuntimeError), atomic_folder(FOLDER) as stale:
        raise RuntimeError
    stale.mkdir(parents=True)
    (stale / "half.csv").write_text("x")
    with atomic_folder(FOLDER) as out:
        (out / "whole.csv").write_text("y")
    assert [path.name for path in FOLDER.iterdir()] == ["whole.csv"]


def test_json_is_sorted_and_refuses_nan() -> None:
    write_json(Path("a.json"), {"b": 1, "a": 2})
    assert Path("a.json").read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(Path("a.json"), {"a": float("nan")})
    assert "2" in Path("a.json").read_text()


class Row(BaseModel):
    year: int
    area_km2: float | None = None


def test_table_leaves_none_empty() -> None:
    write_table(Path("t.csv"), [Row(year=2020, area_km2=1.5), Row(year=2021)], Row)
    assert Path("t.csv").read_text() == "year,area_km2\n2020,1.5\n2021,\n"


class Named(BaseModel):
    name: str
    change: float = 0.0


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(1)", "\t=1", "plain", "'quoted", "'=1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused_and_comes_back(text: str) -> None:
    write_table(Path("t.csv"), [Named(name=text, change=-1.5)], Named)
    (_, (field, _)) = csv.reader(io.StringIO(Path("t.csv").read_text(), newline=""))
    assert not field.startswith(("=", "+", "-", "@", "\t"))
    assert ",-1.5\n" in Path("t.csv").read_text()
    assert [row.name for row in read_rows(Path("t.csv"), Named)] == [text]


def test_arrays_come_back_and_their_archive_tells_of_no_python() -> None:
    arrays = {"image": np.arange(12, dtype="uint8").reshape(3, 4), "row": np.array([7], dtype="int32")}
    write_arrays(Path("a.npz"), arrays)
    with np.load("a.npz") as file:
        assert {name: file[name].tolist() for name in file.files} == {n: a.tolist() for n, a in arrays.items()}
        assert [file[name].dtype for name in file.files] == [array.dtype for array in arrays.values()]
    for entry in zipfile.ZipFile("a.npz").infolist():  # 45 would mean Zip64, which NumPy forces
        assert (entry.create_version, entry.extract_version, entry.date_time) == (20, 20, (1980, 1, 1, 0, 0, 0))
        assert entry.compress_type == zipfile.ZIP_DEFLATED
