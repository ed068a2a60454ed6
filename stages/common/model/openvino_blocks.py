"""The blocks of a graph run by OpenVINO: its floats are the same on processors with AVX2 and with AVX-512."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.common.errors import ContractError, InputError
from stages.common.model.blocks import Block
from stages.common.types import AnyArray

if TYPE_CHECKING:
    from openvino import InferRequest

NEEDED = "the packages of docker/locks/openvino.txt, for predict.engine: openvino"

SETTINGS = {
    "NUM_STREAMS": 1,
    "INFERENCE_NUM_THREADS": 1,
    "ENABLE_CPU_PINNING": False,
    "INFERENCE_PRECISION_HINT": "f32",
    "EXECUTION_MODE_HINT": "ACCURACY",
}
"""A thread for each block that runs, and float32 also where the processor has bfloat16. Models are not kept on disk."""


def load_openvino() -> Any:
    """Import OpenVINO without its package of usage data: that would send some at every import, and keep an id at home.

    Raises
    ------
    InputError
        It is not installed, or cannot be loaded.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise InputError(
            "OpenVINO cannot be loaded", where=sys.prefix, expected=NEEDED, found=error,
            fix="`make openvino` installs them; or set predict.engine: onnxruntime",
        ) from error  # fmt: skip
    return openvino


def openvino_version() -> str:
    """Return the engine's name and version, as ``openvino 2026.4.1``."""
    return f"openvino {metadata.version('openvino')}"


class OpenVinoBlocks:
    """The blocks of the model in `path` as OpenVINO's, each compiled when it is first needed.

    Threads run different blocks at once. A single block is run by one thread at a time, as `Stream` does.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._openvino = path, load_openvino()
        self._core = self._openvino.Core()
        self._requests: dict[bytes, InferRequest] = {}

    def run(self, block: Block, at_edge: bool, feed: dict[str, AnyArray]) -> Sequence[AnyArray]:
        """Run a block on a band, given its inputs, contiguous in memory, by their names.

        Where shapes are known it writes straight into the arrays that are returned.

        Raises
        ------
        ContractError
            OpenVINO cannot run an operator of the block.
        """
        request = self._request(block.at_edge if at_edge else block.inside)
        for name, array in feed.items():
            request.set_tensor(name, self._openvino.Tensor(array, shared_memory=True))
        if not block.knows_sizes:
            request.infer()
            return [np.array(request.get_tensor(port.name).data) for port in block.outputs]
        steps = block.steps_of(feed, at_edge)
        results = [np.empty(port.shape(steps * port.rows), port.dtype) for port in block.outputs]
        for port, array in zip(block.outputs, results, strict=True):
            request.set_tensor(port.name, self._openvino.Tensor(array, shared_memory=True))
        request.infer()
        return results

    def _request(self, model: bytes) -> InferRequest:
        if model not in self._requests:
            try:
                compiled = self._core.compile_model(self._core.read_model(model), "CPU", SETTINGS)
            except RuntimeError as error:
                raise ContractError(
                    "OpenVINO cannot run the model", where=self._path, expected="operators that it knows",
                    found=" ".join(str(error).split())[:300], fix="set predict.engine: onnxruntime",
                ) from error  # fmt: skip
            self._requests[model] = compiled.create_infer_request()
        return self._requests[model]
