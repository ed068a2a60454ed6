"""Try a model of unknown origin on one small window, in bounded memory and time, before it maps anything."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.common.errors import ContractError
from stages.common.run.onnx_file import refused
from stages.common.types import Float32Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

TRIAL_PX = 64
"""Least side of the window; it is a multiple of the model's stride."""

TRIAL_BYTES_MAX = 1536 * 2**20
"""Memory that the trial may take: a U-Net of 16 channels takes 300 bytes a pixel, and its weights."""

TRIAL_S = 60.0
"""Seconds that the trial may take; that of the largest network here takes less than one."""

STRIDE_MAX, RADIUS_MAX, MEMBERS_MAX = 1024, 16384, 64


@cache
def bound_memory() -> None:
    """Give ONNX Runtime an allocator of `TRIAL_BYTES_MAX`, which a session may ask for, once for the process."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    limits = {"max_mem": TRIAL_BYTES_MAX, "arena_extend_strategy": 1}
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(limits))


def check_numbers(*, threshold: float, temperature: float, members: int, stride_px: int, radius_px: int) -> None:
    """Refuse numbers of a model's metadata that no model has, NaN among them.

    Raises
    ------
    ValueError
        One is out of its range.
    """
    ranges = {
        "threshold": (threshold, 0.0, 1.0),
        "temperature": (temperature, 1e-3, 1e3),
        "members": (members, 1, MEMBERS_MAX),
        "stride_px": (stride_px, 1, STRIDE_MAX),
        "receptive_field_radius_px": (radius_px, 0, RADIUS_MAX),
    }
    for name, (value, least, most) in ranges.items():
        if not least <= value <= most:
            raise ValueError(f"{name} is {value}, not {least:g} to {most:g}")


def try_model(session: InferenceSession, path: Path, *, bands: int, channels: Sequence[int], stride_px: int) -> None:
    """Run a model on one window and refuse it where its outputs are not probabilities of the shapes they must have.

    Parameters
    ----------
    bands
        Number of channels of the only input.
    channels
        Number of channels of each output.

    Raises
    ------
    ContractError
        Input or outputs have other shapes, the run fails, takes too much memory or time, or gives no probabilities.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if (
        len(inputs) != 1
        or len(inputs[0].shape) != 4
        or inputs[0].shape[3] != bands
        or inputs[0].type != "tensor(float)"
    ):
        raise refused(
            path, f"one input (N, H, W, {bands}) of float32, a channel a band", [(i.shape, i.type) for i in inputs]
        )
    if [len(output.shape) for output in outputs] != [4] * len(channels):
        raise refused(path, f"{len(channels)} output(s) (N, H, W, channels)", [output.shape for output in outputs])
    side = stride_px * -(-TRIAL_PX // stride_px)
    pixels = np.linspace(0, 1, side * side * bands, dtype=np.float32).reshape(1, side, side, bands)
    pixels[:, : side // 8] = np.nan
    maps = _run(session, path, {inputs[0].name: pixels})
    for output, count in zip(maps, channels, strict=True):
        require_probabilities(output, (*pixels.shape[:3], count), where=path)


def require_probabilities(output: Any, shape: tuple[int, ...], *, where: object) -> None:
    """Refuse an output of a model that has another shape, or a value that is no probability.

    Raises
    ------
    ContractError
        It is so.
    """
    if np.shape(output) != shape:
        raise _no_probability(where, f"an output of shape {shape}", np.shape(output))
    least, most = np.min(output), np.max(output)
    if not (least >= 0 and most <= 1):  # NaN is neither
        raise _no_probability(where, "probabilities, 0 to 1", f"{least} to {most}")


def _run(session: InferenceSession, path: Path, feed: dict[str, Float32Array]) -> list[Any]:
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4  # its message is in ours
    timer = threading.Timer(TRIAL_S, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        return list(session.run(None, feed, options))
    except Exception as error:  # ONNX Runtime's errors share no base class of their own
        raise refused(path, f"a run on one window within {TRIAL_S:g} s and {TRIAL_BYTES_MAX} bytes", error) from error
    finally:
        timer.cancel()


def _no_probability(where: object, expected: str, actual: object) -> ContractError:
    return ContractError(
        "the model's output is no probability",
        where=where,
        expected=expected,
        found=actual,
        fix="use a model that the stage `train` has exported",
    )
