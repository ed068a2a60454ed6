"""Every environment variable the project reads, in one place.

None of them changes a result: knobs that do are parameters in ``params.yaml``.
"""

from __future__ import annotations

import os
from pathlib import Path

LOG_LEVEL = "GLACIER_LOG_LEVEL"
"""Verbosity of the console log: DEBUG, INFO (default), WARNING."""

SAMPLES = "GLACIER_SAMPLES"
"""Folder of the real samples; used in ``sites/*/params.yaml`` paths and by the tests."""

INFERENCE_THREADS = "GLACIER_INFERENCE_THREADS"
"""Threads of one ONNX Runtime session. Its bits do not depend on it. Default: the cores this process may use."""

WINDOW_MPX = "GLACIER_WINDOW_MPX"
"""Largest inference window in megapixels; bounds memory, never changes a probability. Default: 2."""

GIT_COMMIT = "GIT_COMMIT"
"""Git revision that `track` tags a run with, where git itself cannot be asked (in a container)."""

RUNNER = "RUNNER"
"""Who runs a stage: read by ``docker/run``, and by `track` as a tag. Default: native."""

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""Where `track` logs. Default: ``sqlite:///mlruns/mlflow.db`` under the repository's root."""

DVC_ROOT = "DVC_ROOT"
"""Set by DVC for a stage's command: the repository's root, where ``mlruns/`` stands."""

EXPERIMENT_NAME = "DVC_EXP_NAME"
"""Set by DVC for an experiment: becomes a tag of the MLflow run."""


ONEDNN_ISA = "ONEDNN_MAX_CPU_ISA"
"""Read by oneDNN inside TensorFlow when it loads; set by `train` from ``train.instruction_set``, never by hand."""


def limit_onednn(instruction_set: str) -> None:
    """Bound the instruction set that oneDNN may use; works only before TensorFlow is imported."""
    os.environ[ONEDNN_ISA] = instruction_set


def get(name: str, default: str) -> str:
    """Value of the environment variable `name`, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def inference_threads() -> int:
    """Threads for one ONNX Runtime session (a container's CPU set counts, not the host's cores)."""
    return int(get(INFERENCE_THREADS, str(len(os.sched_getaffinity(0)))))


def window_pixels() -> int:
    """Largest number of pixels in one inference window."""
    return int(float(get(WINDOW_MPX, "2")) * 1e6)


def repository_root() -> Path:
    """Root of the repository: ``DVC_ROOT``, else the working directory."""
    return Path(get(DVC_ROOT, ".")).resolve()
