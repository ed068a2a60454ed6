from pathlib import Path

import pytest

from stages.common.params.schema import load_params, section_values
from stages.common.run.records import read_rows
from stages.common.tables.area import AreaRow
from stages.track.contract import CONTRACT
from stages.track.state import state_md5
from tests.track import pipeline


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    return [Path("a"), Path("b")]


def test_state_is_known(inputs):
    assert state_md5(inputs, {"x": 1}) == state_md5(inputs[::-1], {"x": 1})
    assert state_md5(inputs, {"x": 1, "y": 2}) == state_md5(inputs, {"y": 2, "x": 1})


@pytest.mark.parametrize("change", ["content", "swap", "fewer", "value"])
def test_state_follows_every_input(inputs, change):
    before = state_md5(inputs, {"x": 1})
    if change == "content":
        Path("a").write_bytes(b"3")
    elif change == "swap":
        Path("a").write_bytes(b"2")
        Path("b").write_bytes(b"1")
    after = state_md5(inputs[:1] if change == "fewer" else inputs, {"x": 2 if change == "value" else 1})
    assert after != before


def test_sections_hold_defaults_and_never_ingest(tmp_path):
    pipeline.write_inputs(tmp_path)
    used = section_values(load_params(tmp_path / "params.yaml"), CONTRACT.params)
    assert set(used) == set(CONTRACT.params)
    assert used["gates"]["valid_fraction_min"] == 0.8


def test_empty_fields_are_none(tmp_path):
    pipeline.write_inputs(tmp_path)
    rows = read_rows(tmp_path / "artifacts/area/glacier_area_by_year.csv", AreaRow)
    assert [row.common_area_km2 for row in rows] == [5.0, None, 4.8]
