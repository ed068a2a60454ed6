"""Write one run: parameters, numbers, files, and the model as a registered version."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stages.common.errors import ContractError
from stages.common.run.records import file_md5
from stages.track.metric_values import MetricValue
from stages.track.store import MODEL_TAG, challenge

PARAMS_PER_CALL, METRICS_PER_CALL = 100, 1000
"""MLflow's limits for one batch."""

MODEL_NAME = "model"

EXAMPLE_PX = 64
"""Side of the example of an input where the model takes any: a multiple of all strides (`train.depth` is at most 6)."""
RUNTIME = ("onnx", "onnxruntime", "numpy")
"""Packages that the logged model needs; listed, because MLflow would otherwise run the model to find out."""


def log_params(client: Any, run_id: str, params: Mapping[str, Any]) -> None:
    """Log flat parameters."""
    from mlflow.entities import Param

    entries = [Param(key, str(value)) for key, value in params.items()]
    for part in _parts(entries, PARAMS_PER_CALL):
        client.log_batch(run_id, params=part)


def log_metrics(client: Any, run_id: str, values: Sequence[MetricValue]) -> None:
    """Log values with their steps."""
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    entries = [Metric(point.key, point.value, now_ms, point.step) for point in values]
    for part in _parts(entries, METRICS_PER_CALL):
        client.log_batch(run_id, metrics=part)


def log_files(client: Any, run_id: str, files: Iterable[Path]) -> None:
    """Log files under the name of the stage that wrote them, as ``area/trend.json``."""
    for path in files:
        client.log_artifact(run_id, str(path), artifact_path=path.parent.name)


def log_model(client: Any, run_id: str, path: Path, *, name: str, tags: Mapping[str, str]) -> str:
    """Log the ONNX file into the active run, register it, and point ``challenger`` at it.

    Returns
    -------
    str
        Number of the version.

    Raises
    ------
    ContractError
        What the registry hands out is not the file that was trained.
    """
    import mlflow
    import onnx

    proto = onnx.load(path)
    model = mlflow.onnx.log_model(
        proto,
        name=MODEL_NAME,
        signature=_signature(proto),
        input_example=_example(proto),
        save_as_external_data=False,
        onnx_execution_providers=["CPUExecutionProvider"],
        pip_requirements=[f"{package}=={version(package)}" for package in RUNTIME],
    )
    if proto.SerializeToString() != path.read_bytes():
        # MLflow writes the model anew; where that gives other bytes, the trained file takes the copy's place.
        client.log_model_artifact(model.model_id, str(path))
    return register_model(client, run_id, path, name=name, tags=tags)


def register_model(client: Any, run_id: str, path: Path, *, name: str, tags: Mapping[str, str]) -> str:
    """Register the model that a run logged as a new version, check its bytes, and make it the challenger."""
    import mlflow

    model_id = client.get_run(run_id).outputs.model_outputs[-1].model_id
    registered = mlflow.register_model(f"models:/{model_id}", name, tags={MODEL_TAG: file_md5(path), **tags})
    _note_version(client, model_id, name, registered.version)
    _check_bytes(f"models:/{name}/{registered.version}", path)
    challenge(client, name, registered.version)
    return str(registered.version)


def _note_version(client: Any, model_id: str, name: str, number: str) -> None:
    """Store the note of name and version that MLflow writes beside a model whenever it loads it from files in place.

    Loading by an alias then leaves the store as it is. By number MLflow writes the number in quotes, by id no name.
    """
    from mlflow.store.artifact.models_artifact_repo import REGISTERED_MODEL_META_FILE_NAME
    from mlflow.utils.yaml_utils import write_yaml

    with tempfile.TemporaryDirectory() as folder:
        note = {"model_name": name, "model_version": int(number)}
        write_yaml(folder, REGISTERED_MODEL_META_FILE_NAME, note, ensure_yaml_extension=False)
        client.log_model_artifact(model_id, str(Path(folder, REGISTERED_MODEL_META_FILE_NAME)))


def _check_bytes(uri: str, path: Path) -> None:
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        fetched = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))
        fetched_md5 = file_md5(next(fetched.rglob("*.onnx")))
    if fetched_md5 != (expected := file_md5(path)):
        raise ContractError(
            "the registered model is not byte for byte the trained one",
            where=uri,
            expected=f"MD5 {expected} ({path})",
            found=f"MD5 {fetched_md5}",
            fix="look at what the store does with files; the run is marked as failed and is logged anew next time",
        )


def _signature(proto: Any) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema

    return ModelSignature(
        inputs=Schema([_tensor(value) for value in proto.graph.input]),
        outputs=Schema([_tensor(value) for value in proto.graph.output]),
    )


def _example(proto: Any) -> Any:
    """Return an input that the model takes: one window of `EXAMPLE_PX` with a reflectance of 0.3 everywhere."""
    import numpy as np

    return {
        tensor.name: np.full([EXAMPLE_PX if side < 0 else side for side in (1, *tensor.shape[1:])], 0.3, tensor.type)
        for tensor in map(_tensor, proto.graph.input)
    }


def _tensor(value: Any) -> Any:
    """Return a tensor's name, type and shape; a free dimension (batch, often height and width) is -1."""
    import onnx
    from mlflow.types import TensorSpec

    tensor = value.type.tensor_type
    shape = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
    return TensorSpec(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape, value.name)


def _parts(entries: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (entries[start : start + size] for start in range(0, len(entries), size))
