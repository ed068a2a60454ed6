"""The graph that maps at a precision, and the errors of a model that has none."""

from __future__ import annotations

import base64
from pathlib import Path

import onnx
import pytest

from sandbox.mountains import bright_model
from stages.common.errors import ContractError
from stages.common.model.inference import read_info
from stages.common.model.precision import INT8_GRAPH, INT8_REFUSED, PRECISION, graph_at
from stages.common.params.schema import PredictParams


def model_with(path: Path, **entries: str) -> Path:
    model = onnx.load_from_string(bright_model())
    for key, value in entries.items():
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def test_float32_is_the_model_itself(tmp_path: Path) -> None:
    path = model_with(tmp_path / "model.onnx")
    with graph_at(path, "float32") as graph:
        assert graph == path
    assert path.exists()


def test_int8_is_the_graph_in_the_metadata(tmp_path: Path) -> None:
    inner = model_with(tmp_path / "inner.onnx", **{PRECISION: "int8"})
    text = base64.b64encode(inner.read_bytes()).decode("ascii")
    path = model_with(tmp_path / "model.onnx", **{INT8_GRAPH: text})
    with graph_at(path, "int8") as graph:
        assert graph.read_bytes() == inner.read_bytes()
        assert read_info(graph).precision == "int8"
    assert not graph.exists()


@pytest.mark.parametrize(
    ("entries", "message", "fix"),
    [
        ({}, "holds no int8 graph", "train.int8: true and train again"),
        ({INT8_REFUSED: "it maps too little"}, "holds no int8 graph", "predict.precision: float32"),
        ({INT8_GRAPH: "not base64!"}, "cannot be read", "predict.precision: float32"),
    ],
)
def test_a_model_without_one_is_refused(entries: dict[str, str], message: str, fix: str, tmp_path: Path) -> None:
    path = model_with(tmp_path / "model.onnx", **entries)
    with pytest.raises(ContractError, match=message) as caught, graph_at(path, "int8"):
        pass
    assert fix in caught.value.fix
    assert entries.get(INT8_REFUSED, "") in caught.value.found


def test_a_precision_that_does_not_exist_breaks_the_metadata(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="metadata is not valid"):
        read_info(model_with(tmp_path / "model.onnx", **{PRECISION: "int4"}))


def test_parameters_of_today_are_recorded_as_before() -> None:
    assert PredictParams().model_dump() == {"model": "artifacts/train/model.onnx"}
    assert PredictParams(precision="int8").model_dump()["precision"] == "int8"
    assert PredictParams(engine="openvino").model_dump()["engine"] == "openvino"
