"""Every environment variable the project reads, in one place.

None of them changes a result: knobs that do are parameters in ``params.yaml``.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from stages.common.errors import ParamsError, SettingError
from stages.common.machine import usable_cores

LOG_LEVEL = "GLACIER_LOG_LEVEL"
"""Verbosity of the console log, one of `LOG_LEVELS`. Default: INFO."""

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

VARIABLE = re.compile(r"\$(\{)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?(1)\})")
"""``$NAME`` or ``${NAME}``. With ``${NAME}`` in params.yaml, `dvc exp run -S` cannot change parameters."""

SAMPLES = "GLACIER_SAMPLES"
"""Folder of the real samples; used in ``sites/*/params.yaml`` paths and by the tests."""

INFERENCE_THREADS = "GLACIER_INFERENCE_THREADS"
"""Threads that map a scene, each a part of the graph. No bit depends on them. Default: the cores that may be used."""

THREADS_MAX = 1024
"""More than any machine has cores: a system that is asked for a million threads ends the process."""

JOBS = "GLACIER_JOBS"
"""Stages that `bin/repro` runs side by side. Default: one a core, and 3 GiB of memory for each."""

GIT_COMMIT = "GIT_COMMIT"
"""Git revision that `track` tags a run with, where git itself cannot be asked (in a container)."""

GIT_REMOTE = "GIT_REMOTE"
"""Address of the repository that `track` links to, where git itself cannot be asked (in a container)."""

RUNNER = "RUNNER"
"""Runner of a stage (native, docker, podman): read by ``docker/run``, and by `track` as a tag. Default: native."""

ENGINE = "GLACIER_ENGINE"
"""Program of the container engine where it is not the first ``docker`` or ``podman`` on the path."""

BASE_IMAGE = "BASE_IMAGE"
"""Image that all images stand on. Default: the public one that ``docker/Dockerfile`` names."""

MEMORY = "GLACIER_MEMORY"
"""Memory a container may use, as the engine takes it (``8g``). Default: no limit."""

CPUS = "GLACIER_CPUS"
"""Cores a container may use, as the engine takes them (``1.5``). Default: no limit."""

CPUS_MIN = 0.01
"""Least share of a core that an engine accepts."""

NETWORK = "GLACIER_NETWORK"
"""Network of a container that may have one (`ingest`, and `track` with a server). Default: host."""

ENGINE_REQUIRED, STAC_REQUIRED = "GLACIER_ENGINE_REQUIRED", "GLACIER_STAC_REQUIRED"
CYCLE_REQUIRED = "GLACIER_CYCLE_REQUIRED"
"""Set to 1 where the tests in ``tests/docker``, ``tests/stac`` and ``tests/cycle`` must run: they fail instead of being
skipped where there is no engine or server."""

PIP_CONFIG = "PIP_CONFIG_FILE"
"""pip's own: its file is given to the builds of images as a secret."""

TRACKING_URI = "MLFLOW_TRACKING_URI"
"""Store that `track` logs to. Default: ``sqlite:///mlruns/mlflow.db`` under the repository's root."""

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

SET_BY_DVC = (DVC_ROOT, DVC_STAGE, EXPERIMENT_NAME, EXPERIMENT_PARENT)
"""Variables that DVC sets for a stage; left in a shell they would name another stage, experiment or repository."""

TENSORFLOW_LOG = "TF_CPP_MIN_LOG_LEVEL"
"""Read by TensorFlow when it loads; `train` hushes what is neither a warning nor an error. All else that TensorFlow
reads is set aside (``stages/common/run/environment.py``) or decided (``stages/train/environment.py``)."""


def quiet_tensorflow() -> None:
    """Hush TensorFlow's notes on CPU features; works only before it is imported."""
    os.environ.setdefault(TENSORFLOW_LOG, "2")


S3_ACCESS_KEY, S3_SECRET_KEY = "CDSE_S3_ACCESS_KEY", "CDSE_S3_SECRET_KEY"
"""Keys to the files of the Copernicus Data Space; read by `ingest`, never logged or written."""

S3_ENDPOINT = "CDSE_S3_ENDPOINT"
"""Host of these files, or its address with ``http://``; default: the catalogue's."""

HTTP_RETRIES = "GLACIER_HTTP_RETRIES"
"""Number of times that `ingest` repeats a request that failed. Default: 6."""

HTTP_RETRY_WAIT = "GLACIER_HTTP_RETRY_WAIT_S"
"""Seconds before the first repetition; doubled each time. Default: 1."""

DVC_WAIT = "GLACIER_DVC_WAIT_S"
"""Seconds that a command waits for another one that uses DVC in the same repository. Default: 600."""

SITE_WAIT = "GLACIER_SITE_WAIT_S"
"""Seconds that a command waits for another one that works on the same site. Default: 86400, a day."""

SITE_HELD = "GLACIER_SITE_HELD"
"""Set by a command for those that it starts: the lock of the site that it holds."""

HTTP_TIMEOUT_S = 60.0
"""Seconds that a catalogue's answer may take to begin, or to go on."""

HTTP_ANSWER_MAX_S = 300.0
"""Seconds that a whole answer of a catalogue may take, its repetitions included, however slowly it arrives."""


def http_retries() -> int:
    """Return the number of times that a failed request is repeated."""
    return int(number(HTTP_RETRIES, 6, least=0, whole=True))


def http_retry_wait_s() -> float:
    """Return the seconds before the first repetition."""
    return number(HTTP_RETRY_WAIT, 1, least=0)


def without_secrets(text: str) -> str:
    """Return the text without user and password in addresses, their queries, which hold signatures, and access keys."""
    bare = re.sub(r"(?<=://)(?:[^\s/'\"<>]*|[^\s/@'\"<>]*:[^\s'\"<>]*)@", "***@", text)
    bare = re.sub(r"\?[^\s'\"<>)]*=[^\s'\"<>)]*", "?…", bare)
    for name in (S3_ACCESS_KEY, S3_SECRET_KEY):
        if secret := lookup(name):
            bare = bare.replace(secret, "…")
    return bare


MLFLOW_HTTP_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
MLFLOW_HTTP_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
MLFLOW_LIMITS = (MLFLOW_HTTP_TIMEOUT, MLFLOW_HTTP_RETRIES)
"""Read by MLflow: seconds an answer may take, and how often a request is repeated."""

MLFLOW_CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
"""Read by MLflow: how it logs in to a tracking server; passed to the container of `track`."""

MLFLOW_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""Read by MLflow and its libraries when they load; set by `track`, so that they send no usage data and stay quiet."""

ONNXRUNTIME_TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""Read by ONNX Runtime when it loads."""


def quiet_mlflow() -> None:
    """Stop MLflow from sending usage data and from drawing progress bars; works only before it is imported."""
    os.environ.update(MLFLOW_QUIET)


def quiet_onnxruntime() -> None:
    """Stop ONNX Runtime from sending usage data and writing an id of this machine; works only before its import."""
    os.environ[ONNXRUNTIME_TELEMETRY] = "1"


def get(name: str, default: str) -> str:
    """Return the environment variable `name`, or `default` where it is unset or empty."""
    return os.environ.get(name) or default


def lookup(name: str) -> str | None:
    """Return the environment variable `name`, or None where it is unset or empty."""
    return os.environ.get(name) or None


def variables_in(text: str) -> list[str]:
    """Return the names of the environment variables that a path in ``params.yaml`` holds."""
    return [match["name"] for match in VARIABLE.finditer(text)]


def expand(text: str, *, where: str) -> str:
    """Return a path of ``params.yaml`` with ``$NAME`` and ``${NAME}`` replaced by the environment variable's value.

    Raises
    ------
    ParamsError
        The environment variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        content = lookup(match["name"])
        if content is None:
            raise ParamsError(
                f"the environment variable {match['name']} is not set",
                where=f"params.yaml: {where}",
                expected=f"the folder that replaces {match[0]} in {text}",
                found="nothing",
                fix=f"export {match['name']}=<folder>",
            )
        return content

    return VARIABLE.sub(value, text)


def number(name: str, default: float, *, least: float, most: float = math.inf, whole: bool = False) -> float:
    """Return the number that the environment variable `name` holds, or `default` where it is unset or empty.

    Raises
    ------
    SettingError
        It is not a finite number, is not within `least` to `most`, or has a fraction where a `whole` number is asked
        for.
    """
    text = get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and least <= value <= most and (value.is_integer() or not whole)):
        bounds = f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:g}"
        raise _wrong(name, f"a {'whole ' if whole else ''}number, {bounds}", text)
    return value


def _wrong(name: str, expected: str, text: str) -> SettingError:
    return SettingError(
        f"the environment variable {name} is not valid", where=f"environment: {name}", expected=expected, found=text,
        fix=f"correct it, or `unset {name}` for the default",
    )  # fmt: skip


def log_level() -> str:
    """Return the verbosity of the console log.

    Raises
    ------
    SettingError
        There is no such level.
    """
    level = get(LOG_LEVEL, "INFO").upper()
    if level not in LOG_LEVELS:
        raise _wrong(LOG_LEVEL, ", ".join(LOG_LEVELS), level)
    return level


def inference_threads() -> int:
    """Return the threads for one ONNX Runtime session."""
    return int(number(INFERENCE_THREADS, usable_cores(), least=1, most=THREADS_MAX, whole=True))


def cpus() -> float | None:
    """Return the cores that a container may use; None: no limit."""
    return number(CPUS, 0, least=CPUS_MIN) if lookup(CPUS) else None


def memory() -> str | None:
    """Return the memory that a container may use, as the engine takes it; None: no limit.

    Raises
    ------
    SettingError
        It is not a size.
    """
    size = lookup(MEMORY)
    if size and not re.fullmatch(r"\d+(\.\d+)?[bkmg]?", size, flags=re.IGNORECASE):
        raise _wrong(MEMORY, "a size such as 8g or 500m", size)
    return size


def repository_root() -> Path:
    """Return the root of the repository: ``DVC_ROOT``, else the nearest folder with a ``.dvc``, going upwards.

    A site's folder lies inside the repository; an experiment in a temporary folder gets the root from DVC.
    """
    start = Path(get(DVC_ROOT, ".")).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".dvc").is_dir()), start)
