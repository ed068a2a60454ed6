"""Running an ONNX model over a scene of any size, window by window, in bounded memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from stages.common import settings
from stages.common.errors import ContractError
from stages.common.machine import memory_bytes
from stages.common.model.trial import bound_memory, check_numbers, require_probabilities, try_model
from stages.common.model.windows import Window, WindowPlan, plan_windows
from stages.common.run.onnx_file import check_onnx
from stages.common.tables.drift import BandReference
from stages.common.tables.learning import AreaError
from stages.common.types import Float32Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_AREA_ERROR: TypeAdapter[AreaError | None] = TypeAdapter(AreaError | None)

Reader = Callable[[int, int, int, int], Float32Array]
"""Function from (row, column, height, width) to (height, width, C) float32 physical values.

NaN stands where a pixel is not valid, or lies beyond the scene.
"""


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


OUTPUT, MEMBERS_OUTPUT = "glacier", "members"
"""Names of the graph's outputs: (N, H, W, 1), and of an ensemble (N, H, W, M); calibrated probabilities."""

BYTES_PER_WINDOW_PIXEL = 600
"""Memory of a window while it is worked on: a U-Net of 16 channels takes 300 bytes a pixel, an ensemble more."""

MEMORY_SHARE = 0.5
"""Share of the machine's memory that windows may take together."""

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
    )
    check_numbers(
        threshold=info.threshold, temperature=info.temperature, members=info.members, stride_px=info.stride_px,
        radius_px=info.receptive_field_radius_px,
    )  # fmt: skip
    return info


def plan_for(info: ModelInfo, height: int, width: int) -> WindowPlan:
    """Plan the windows for a scene of that size: of a size that the model accepts, as large as the settings permit."""
    return plan_windows(
        height, width,
        stride_px=info.stride_px, radius_px=info.receptive_field_radius_px, max_pixels=settings.window_pixels(),
    )  # fmt: skip


def runs_at_once(plan: WindowPlan) -> int:
    """Return the number of windows to work on side by side: a thread each, as far as there is memory for them.

    Runs of one thread side by side are a quarter faster than one run of several threads after the other.
    """
    held_bytes = plan.window_height * plan.window_width * BYTES_PER_WINDOW_PIXEL
    room = int(memory_bytes() * MEMORY_SHARE // held_bytes)
    return max(1, min(settings.inference_threads(), len(plan), room))


def open_session(path: Path, *, height: int, width: int, batch: int = 1, runs: int = 1) -> InferenceSession:
    """Open an ONNX Runtime session with the window's shape fixed, so that all shapes are known before the first run.

    The threads are shared by the `runs` that are to go on at once. The bits do not depend on their number.
    """
    threads = max(1, settings.inference_threads() // runs)
    return _open(path, {"batch": batch, "height": height, "width": width}, threads)


def _open(path: Path, shape: dict[str, int] | None = None, threads: int | None = None) -> InferenceSession:
    settings.quiet_onnxruntime()
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    # By default the pool is sized by the host's cores, not by those that a container may use.
    options.intra_op_num_threads = threads or settings.inference_threads()
    options.inter_op_num_threads = 1
    # A memory pattern allocates all activations at once: 1,011 MiB instead of 593 for a window of 2 Mpx, at the same
    # speed.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    for name, size in (shape or {}).items():
        options.add_free_dimension_override_by_name(name, size)
    if shape is None:  # not tried yet: nothing is computed when it is opened, and its memory is bounded
        bound_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class of their own
        raise ContractError(
            "the file is not an ONNX model",
            where=path,
            found=" ".join(str(error).split())[:200],
            fix="run `train` again",
        ) from error


def predict_windows(
    session: InferenceSession, read: Reader, plan: WindowPlan, *, batch: int = 1, runs: int = 1
) -> Iterator[tuple[Window, Float32Array]]:
    """Yield the glacier probability of each window's kept part, in the order of the plan.

    Yields
    ------
    window, (keep height, keep width) float32 in 0-1, clipped to the scene
    """
    for window, (probability,) in predict_outputs(session, read, plan, outputs=(OUTPUT,), batch=batch, runs=runs):
        yield window, probability[..., 0]


def predict_outputs(
    session: InferenceSession, read: Reader, plan: WindowPlan, *, outputs: Sequence[str], batch: int = 1, runs: int = 1
) -> Iterator[tuple[Window, list[Float32Array]]]:
    """Yield named outputs of the graph for each window's kept part, in the order of the plan.

    At most `runs` batches are worked on at once. One more is read meanwhile, and the caller may work on an earlier one:
    no core idles, and no more are in memory.

    Yields
    ------
    window, and for each output (keep height, keep width, channels) float32, clipped to the scene
    """
    batches, turn = iter(list(_batches(plan, batch))), Semaphore(runs)

    def answer(windows: list[Window]) -> list[tuple[Window, list[Float32Array]]]:
        pixels = _read_batch(read, plan, windows, batch)
        with turn:
            return _answer(session, pixels, windows, plan, outputs)

    with ThreadPoolExecutor(max_workers=runs + 1) as pool:
        pending = deque(pool.submit(answer, windows) for windows in islice(batches, runs + 1))
        try:
            while pending:
                yield from pending.popleft().result()
                pending.extend(pool.submit(answer, windows) for windows in islice(batches, 1))
        finally:
            for future in pending:
                future.cancel()


def _answer(
    session: InferenceSession, pixels: Float32Array, windows: list[Window], plan: WindowPlan, outputs: Sequence[str]
) -> list[tuple[Window, list[Float32Array]]]:
    name = session.get_inputs()[0].name
    maps = session.run(list(outputs), {name: pixels})
    for output in maps:
        require_probabilities(output, (*pixels.shape[:3], output.shape[-1]), where=name)
    return [
        (window, [_crop_to_kept(output[place], window, plan) for output in maps])
        for place, window in enumerate(windows)
    ]


def _batches(plan: WindowPlan, size: int) -> Iterator[list[Window]]:
    windows = list(plan)
    return (windows[first : first + size] for first in range(0, len(windows), size))


def _read_batch(read: Reader, plan: WindowPlan, windows: list[Window], batch: int) -> Float32Array:
    """Read a batch (batch, h, w, C); a last one that is not full is filled with NaN."""
    parts = [read(w.rows.start, w.columns.start, plan.window_height, plan.window_width) for w in windows]
    parts += [np.full_like(parts[0], np.nan)] * (batch - len(parts))
    return np.stack(parts)


def _crop_to_kept(probability: Float32Array, window: Window, plan: WindowPlan) -> Float32Array:
    rows, columns = window.rows, window.columns
    return probability[
        rows.keep_start - rows.start : min(rows.keep_stop, plan.height) - rows.start,
        columns.keep_start - columns.start : min(columns.keep_stop, plan.width) - columns.start,
    ]


def scene_reader(scene_path: Path, valid_path: Path) -> Reader:
    """Return a reader over scene.tif and valid.tif.

    Every window opens both files anew: windows are read in a thread of their own, and a GDAL handle that two threads
    share reads wrong pixels without a word.
    """
    from rasterio.windows import Window as RasterWindow

    from stages.common.geo.raster import open_raster, refuse_unreadable

    def read(row: int, column: int, height: int, width: int) -> Float32Array:
        with open_raster(scene_path) as scene, open_raster(valid_path) as valid:
            inside = RasterWindow(column, row, min(width, scene.width - column), min(height, scene.height - row))
            pixels = np.full((height, width, scene.count), np.nan, dtype=np.float32)
            with refuse_unreadable(scene_path):
                values = scene.read(window=inside, out_dtype="float32")
            values *= np.asarray(scene.scales, dtype=np.float32)[:, None, None]
            values += np.asarray(scene.offsets, dtype=np.float32)[:, None, None]
            with refuse_unreadable(valid_path):
                values[:, valid.read(1, window=inside) == 0] = np.nan
        pixels[: inside.height, : inside.width] = np.moveaxis(values, 0, -1)
        return pixels

    return read


def array_reader(pixels: Float32Array) -> Reader:
    """Return a reader over (H, W, C) float32 physical values, NaN where not valid."""

    def read(row: int, column: int, height: int, width: int) -> Float32Array:
        window = np.full((height, width, pixels.shape[2]), np.nan, dtype=np.float32)
        part = pixels[row : row + height, column : column + width]
        window[: part.shape[0], : part.shape[1]] = part
        return window

    return read
