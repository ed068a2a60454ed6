"""Every environment variable the project reads, in one place.

None of them changes a result: knobs that do are parameters in ``params.yaml``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
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

GIT_REMOTE = "GIT_REMOTE"
"""Address of the repository that `track` links to, where git itself cannot be asked (in a container)."""

RUNNER = "RUNNER"
"""Who runs a stage (native, docker, podman): read by ``docker/run``, and by `track` as a tag. Default: native."""

ENGINE = "GLACIER_ENGINE"
"""Program of the container engine where it is not the first ``docker`` or ``podman`` on the path."""

BASE_IMAGE = "BASE_IMAGE"
"""Image that all images stand on. Default: the public one that ``docker/Dockerfile`` names."""

MEMORY = "GLACIER_MEMORY"
"""Memory a container may use, as the engine takes it (``8g``). Default: no limit."""

CPUS = "GLACIER_CPUS"
"""Cores a container may use, as the engine takes them (``1.5``). Default: no limit."""

NETWORK = "GLACIER_NETWORK"
"""Network of a container that may have one (`ingest`, and `track` with a server). Default: host."""

ENGINE_REQUIRED = "GLACIER_ENGINE_REQUIRED"
"""Set to 1 where the tests in ``tests/docker`` must find an engine: there they fail instead of being skipped."""

PIP_CONFIG = "PIP_CONFIG_FILE"
"""pip's own: its file is given to the builds of images as a secret."""

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""Where `track` logs. Default: ``sqlite:///mlruns/mlflow.db`` under the repository's root."""

DVC_ROOT = "DVC_ROOT"
"""Set by DVC for a stage's command: the repository's root, where ``mlruns/`` stands."""

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Set by a CI: the file that a step's summary is appended to; `make retrain` writes its own there as well."""

EXPERIMENT_NAME = "DVC_EXP_NAME"
"""Set by DVC for an experiment: becomes a tag of the MLflow run."""

EXPERIMENT_PARENT = "DVC_EXP_BASELINE_REV"
"""Set by DVC for an experiment: the commit it started from; becomes a tag of the MLflow run."""

DVC_STAGE = "DVC_STAGE"
"""Set by DVC for a stage's command: ``predict@2020`` or ``sites/everest/dvc.yaml:predict@2020``."""


ONEDNN_ISA = "ONEDNN_MAX_CPU_ISA"
"""Read by oneDNN inside TensorFlow when it loads; set by `train` from ``train.instruction_set``, never by hand."""


TENSORFLOW_LOG = "TF_CPP_MIN_LOG_LEVEL"
"""Read by TensorFlow when it loads; `train` hushes what is neither a warning nor an error."""


def quiet_tensorflow() -> None:
    """Hush TensorFlow's notes on CPU features; works only before it is imported."""
    os.environ.setdefault(TENSORFLOW_LOG, "2")


def limit_onednn(instruction_set: str) -> None:
    """Bound the instruction set that oneDNN may use; works only before TensorFlow is imported."""
    os.environ[ONEDNN_ISA] = instruction_set


S3_ACCESS_KEY, S3_SECRET_KEY = "CDSE_S3_ACCESS_KEY", "CDSE_S3_SECRET_KEY"
"""Keys to the files of the Copernicus Data Space; read by `ingest`, never logged or written."""

S3_ENDPOINT = "CDSE_S3_ENDPOINT"
"""Host of these files, or its address with ``http://``; default: the catalogue's."""

HTTP_RETRIES = "GLACIER_HTTP_RETRIES"
"""How often `ingest` repeats a request that failed. Default: 6."""

HTTP_RETRY_WAIT = "GLACIER_HTTP_RETRY_WAIT_S"
"""Seconds before the first repetition; doubled each time. Default: 1."""

HTTP_TIMEOUT_S = 60.0
"""How long a catalogue's answer may take."""


def http_retries() -> int:
    """How often a failed request is repeated."""
    return int(get(HTTP_RETRIES, "6"))


def http_retry_wait_s() -> float:
    """Seconds before the first repetition."""
    return float(get(HTTP_RETRY_WAIT, "1"))


def without_secrets(text: str) -> str:
    """Text without queries of addresses, where signatures stand, and without the access keys."""
    bare = re.sub(r"\?[^\s'\"<>)]*=[^\s'\"<>)]*", "?…", text)
    for name in (S3_ACCESS_KEY, S3_SECRET_KEY):
        if secret := lookup(name):
            bare = bare.replace(secret, "…")
    return bare


MLFLOW_HTTP_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
MLFLOW_HTTP_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
"""Read by MLflow: seconds an answer may take, and how often a request is repeated."""

MLFLOW_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Read by MLflow and its libraries when they load; set by `track`: nothing is sent anywhere, and no noise."""


def quiet_mlflow() -> None:
    """Keep MLflow from phoning home and from drawing progress bars; works only before it is imported."""
    os.environ.update(MLFLOW_QUIET)


@contextlib.contextmanager
def mlflow_time_limits(*, timeout_s: int, retries: int) -> Iterator[None]:
    """Bound how long MLflow waits for a server, except where the environment already says so."""
    wanted = {MLFLOW_HTTP_TIMEOUT: str(timeout_s), MLFLOW_HTTP_RETRIES: str(retries)}
    added = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def get(name: str, default: str) -> str:
    """Value of the environment variable `name`, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def lookup(name: str) -> str | None:
    """Value of a variable that a path in ``params.yaml`` names as ``$NAME``; None where it is unset or empty."""
    return os.environ.get(name) or None


def inference_threads() -> int:
    """Threads for one ONNX Runtime session (a container's CPU set counts, not the host's cores)."""
    return int(get(INFERENCE_THREADS, str(len(os.sched_getaffinity(0)))))


def window_pixels() -> int:
    """Largest number of pixels in one inference window."""
    return int(float(get(WINDOW_MPX, "2")) * 1e6)


def repository_root() -> Path:
    """Root of the repository: ``DVC_ROOT``, else the nearest folder upwards of the working directory with a ``.dvc``.

    A site's folder lies inside the repository; an experiment in a temporary folder is told the root by DVC.
    """
    start = Path(get(DVC_ROOT, ".")).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".dvc").is_dir()), start)
