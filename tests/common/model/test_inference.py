"""What a model says of itself is checked before it maps anything."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from stages.common.errors import ContractError
from stages.common.model import inference

MODEL = Path("model.onnx")
ENTRIES = {
    "bands": "red,green", "threshold": "0.5", "threshold_rule": "given", "temperature": "1.0", "members": "1",
    "area_error": "null", "stride_px": "16", "receptive_field_radius_px": "90", "data_md5": "0" * 32,
}  # fmt: skip


def with_metadata(entries: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    meta = SimpleNamespace(custom_metadata_map=entries)
    monkeypatch.setattr(inference, "check_onnx", lambda path: None)
    monkeypatch.setattr(inference, "try_model", lambda *_, **__: None)
    monkeypatch.setattr(inference, "_open", lambda path: SimpleNamespace(get_modelmeta=lambda: meta))


def test_valid_metadata_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with_metadata(ENTRIES, monkeypatch)
    info = inference.read_info(MODEL)
    assert (info.bands, info.threshold, info.stride_px, info.area_error) == (("red", "green"), 0.5, 16, None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("threshold", "half"),
        ("threshold", "nan"),
        ("threshold", "-0.1"),
        ("temperature", "0"),
        ("members", "0"),
        ("stride_px", "1000000000"),
        ("receptive_field_radius_px", "-1"),
        ("band_histograms", "3"),
        ("members", "1.5"),
        ("area_error", "{"),
        ("area_error", "{}"),
        ("band_histograms", "[{}]"),
    ],
)
def test_metadata_that_is_not_valid_breaks_the_contract(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_metadata(ENTRIES | {name: text}, monkeypatch)
    with pytest.raises(ContractError, match="metadata is not valid") as caught:
        inference.read_info(MODEL)
    assert caught.value.where == "model.onnx"


def test_absent_metadata_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_metadata({key: text for key, text in ENTRIES.items() if key != "members"}, monkeypatch)
    with pytest.raises(ContractError, match="lacks metadata") as caught:
        inference.read_info(MODEL)
    assert caught.value.found == "no members"
