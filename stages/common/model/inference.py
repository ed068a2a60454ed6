"""An ONNX model: its metadata, and the sessions that run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from stages.common import settings
from stages.common.errors import ContractError
from stages.common.model.precision import PRECISION, Precision
from stages.common.model.trial import bound_memory, check_numbers, try_model
from stages.common.run.onnx_file import check_onnx
from stages.common.tables.drift import BandReference
from stages.common.tables.learning import AreaError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

_AREA_ERROR: TypeAdapter[AreaError | None] = TypeAdapter(AreaError | None)
_PRECISION: TypeAdapter[Precision] = TypeAdapter(Precision)


@dataclass(frozen=True)
class ModelInfo:
    """The metadata of an ONNX model."""

    path: Path
    bands: tuple[str, ...]
    threshold: float
    """A pixel is glacier where its calibrated probability is at least this."""
    threshold_rule: str
    temperature: float
    """Number that the graph divides the logits by; sigmoid(temperature x logit p) is the probability before that."""
    members: int
    area_error: AreaError | None
    """Errors of areas on held-out blocks; None where no block was held out."""
    stride_px: int
    receptive_field_radius_px: int
    data_md5: str
    band_references: tuple[BandReference, ...] = ()
    """Training pixels of each band. Empty: an older model, whose input drift cannot be measured."""
    precision: Precision = "float32"


OUTPUT, MEMBERS_OUTPUT = "glacier", "members"
"""Names of the graph's outputs: (N, H, W, 1), and of an ensemble (N, H, W, M); calibrated probabilities."""

METADATA = (
    "bands", "threshold", "threshold_rule", "temperature", "members", "area_error", "stride_px",
    "receptive_field_radius_px", "data_md5",
)  # fmt: skip
"""Entries of the metadata that every model must have; area_error is JSON."""


def read_info(path: Path) -> ModelInfo:
    """Read the metadata of a model, and try it on one window: it may come from elsewhere.

    Raises
    ------
    ContractError
        The file is not an ONNX model that can be used, an entry of its metadata is absent or not valid, or what it
        gives for a window are not probabilities of the right shape.
    """
    check_onnx(path)
    session = _open(path)
    entries = session.get_modelmeta().custom_metadata_map
    if missing := [name for name in METADATA if name not in entries]:
        raise ContractError(
            "the model lacks metadata", where=path, expected=", ".join(METADATA), found=f"no {missing[0]}",
            fix="use a model that the stage `train` has exported",
        )  # fmt: skip
    try:
        info = _info_of(path, entries)
    except (ValueError, TypeError, RecursionError) as error:
        raise ContractError(
            "an entry of the model's metadata is not valid", where=path, expected=", ".join(METADATA),
            found=" ".join(str(error).split())[:300], fix="use a model that the stage `train` has exported",
        ) from error  # fmt: skip
    channels = (1,) if info.members == 1 else (1, info.members)
    try_model(session, path, bands=len(info.bands), channels=channels, stride_px=info.stride_px)
    return info


def _info_of(path: Path, entries: Mapping[str, str]) -> ModelInfo:
    info = ModelInfo(
        path=path,
        bands=tuple(entries["bands"].split(",")),
        threshold=float(entries["threshold"]),
        threshold_rule=entries["threshold_rule"],
        temperature=float(entries["temperature"]),
        members=int(entries["members"]),
        area_error=_AREA_ERROR.validate_json(entries["area_error"]),
        stride_px=int(entries["stride_px"]),
        receptive_field_radius_px=int(entries["receptive_field_radius_px"]),
        data_md5=entries["data_md5"],
        band_references=tuple(map(BandReference.model_validate, json.loads(entries.get("band_histograms", "[]")))),
        precision=_PRECISION.validate_python(entries.get(PRECISION, "float32")),
    )
    check_numbers(
        threshold=info.threshold, temperature=info.temperature, members=info.members, stride_px=info.stride_px,
        radius_px=info.receptive_field_radius_px,
    )  # fmt: skip
    return info


def open_session(path: Path, *, height: int, width: int, batch: int = 1) -> InferenceSession:
    """Open an ONNX Runtime session with the input's shape fixed, so that all shapes are known before the first run."""
    return _open(path, {"batch": batch, "height": height, "width": width})


def _open(path: Path, shape: dict[str, int] | None = None) -> InferenceSession:
    settings.quiet_onnxruntime()
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    # By default the pool is sized by the host's cores, not by those that a container may use.
    options = session_options(settings.inference_threads())
    for name, size in (shape or {}).items():
        options.add_free_dimension_override_by_name(name, size)
    if shape is None:  # not tried yet: nothing is computed when it is opened, and its memory is bounded
        share_memory(options)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return _session(path, str(path), options)


def _session(path: Path, model: str | bytes, options: SessionOptions) -> InferenceSession:
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class of their own
        raise ContractError(
            "the file is not an ONNX model",
            where=path,
            found=" ".join(str(error).split())[:200],
            fix="run `train` again",
        ) from error


def session_options(threads: int) -> SessionOptions:
    """Return the options that all sessions have."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A memory pattern allocates all activations at once: 1,011 MiB instead of 593 for 2 Mpx, at the same speed.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options


def share_memory(options: SessionOptions) -> None:
    """Let a session take its memory from the allocator of the process, which is bounded."""
    bound_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")


def open_block(path: Path, model: bytes) -> InferenceSession:
    """Open a session of one thread for a part of the model in `path`, which shares its memory with the others.

    Sessions of one thread side by side are a quarter faster than one session of several threads.
    """
    options = session_options(threads=1)
    share_memory(options)
    return _session(path, model, options)
