"""Which variables of a shell reach a process: of the libraries' families only those that a stage needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from stages.common import settings
from stages.common.run.environment import DECIDED, NEEDED, NETWORK, RUN_BY_DVC, foreign, set_aside


@pytest.fixture(autouse=True)
def empty_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)


@pytest.mark.parametrize("stage", ["ingest", "prepare", "train", "predict", "report", "track"])
@pytest.mark.parametrize(
    "name",
    [
        "AWS_NO_SIGN_REQUEST", "AWS_VIRTUAL_HOSTING", "AWS_S3_ENDPOINT", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS",
        "CPL_VSIL_CURL_USE_HEAD", "GDAL_HTTP_HEADERS", "GDAL_HTTP_UNSAFESSL", "GDAL_DATA", "GDAL_DRIVER_PATH",
        "GDAL_SKIP", "GDAL_TIFF_INTERNAL_MASK", "GTIFF_POINT_GEO_IGNORE", "GTIFF_SRS_SOURCE",
        "OGR_CT_FORCE_TRADITIONAL_GIS_ORDER",
        "OSR_DEFAULT_AXIS_MAPPING_STRATEGY", "SHAPE_ENCODING", "ZLEVEL_OVERVIEW", "PROJ_DATA", "PROJ_LIB",
        "PROJ_NETWORK", "PYOGRIO_USE_ARROW", "MPLBACKEND", "KERAS_BACKEND", "KERAS_HOME", "TF_ENABLE_ONEDNN_OPTS",
        "ONEDNN_MAX_CPU_ISA", "OV_CPU_MAX_ISA", "OPENVINO_LOG_LEVEL",
        "XLA_FLAGS", "OMP_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE",
        "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_ENABLE_ASYNC_LOGGING",
    ],
)  # fmt: skip
def test_what_would_change_a_result_reaches_no_stage(stage: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hush-hush")
    assert set_aside(stage) == [name]
    assert os.environ.get(name) == DECIDED.get(name)


@pytest.mark.parametrize("name", NETWORK)
def test_proxies_and_certificates_stay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "somewhere")
    assert set_aside("ingest") == set_aside("area") == []
    assert os.environ[name] == "somewhere"


def test_only_track_and_commands_log_in_with_the_keys_of_a_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    assert foreign("track") == []
    assert foreign("repro", command=True) == []
    assert foreign("ingest") == foreign("predict") == ["AWS_SECRET_ACCESS_KEY"]


@pytest.mark.parametrize("name", [settings.TRACKING_URI, *settings.MLFLOW_CREDENTIALS, *settings.MLFLOW_LIMITS])
def test_track_and_commands_reach_the_tracking_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hush-hush")
    assert foreign("track") == foreign("retrain", command=True) == []
    assert foreign("area") == [name]


def test_a_command_passes_on_what_dvc_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ["AWS_ENDPOINT_URL", "AZURE_STORAGE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS", "DVC_NO_ANALYTICS", "HOME"]
    for name in (*kept, "MLFLOW_RUN_ID", "GTIFF_POINT_GEO_IGNORE"):
        monkeypatch.setenv(name, "x")
    assert set_aside("repro", command=True) == ["GTIFF_POINT_GEO_IGNORE", "MLFLOW_RUN_ID"]
    assert set(kept) <= set(os.environ)


@pytest.mark.parametrize(
    "name",
    [
        "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_EXP_AUTO_PUSH", "DVC_EXP_GIT_REMOTE",
        "DVC_SQLALCHEMY_ECHO", "DVC_SHOW_TRACEBACK", "DVC_IGNORE_ISATTY", "DVC_PAGER", "DVC_TEST", "DVC_DAEMON",
        "DVC_OF_TOMORROW",
    ],
)  # fmt: skip
def test_what_another_run_of_dvc_has_left_reaches_no_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With DVC_ROOT `make promote` would change the registry of another repository."""
    monkeypatch.setenv(name, "/left/of/another")
    assert foreign("promote", command=True) == foreign("repro", command=True) == [name]
    assert foreign(RUN_BY_DVC, command=True) == foreign("labels") == []


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"]
)
def test_another_repository_of_git_reaches_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook of git: `make promote` would commit and tag the champion there."""
    monkeypatch.setenv(name, "/of/another")
    monkeypatch.setenv("GIT_COMMIT", "abc")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Anna")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    assert foreign("promote", command=True) == foreign("track") == foreign(RUN_BY_DVC, command=True) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "DVC_NO_ANALYTICS", "DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "DVC_STUDIO_TOKEN",
        "DVC_STUDIO_URL", "DVC_STUDIO_OFFLINE", "DVC_ANALYTICS_ENDPOINT", "DVC_UPDATER_ENDPOINT",
    ],
)  # fmt: skip
def test_where_dvc_finds_things_is_the_users_choice(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/somewhere")
    assert foreign("repro", command=True) == foreign("predict") == []


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "PYTHONPATH", "GLACIER_INFERENCE_THREADS", "CDSE_S3_SECRET_KEY", "SENTINEL2_DATA", "COG_FOLDER",
        "VRT_FOLDER", "CREATE_ME", "DVC_STAGE", "TF_CPP_MIN_LOG_LEVEL", "TF_VAR_region", "CUDA_VISIBLE_DEVICES",
    ],
)  # fmt: skip
def test_variables_of_others_stay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert set_aside("predict") == []
    assert os.environ[name] == "x"


def test_what_every_process_runs_with() -> None:
    set_aside("area")
    assert {name: os.environ[name] for name in DECIDED} == DECIDED
    assert (os.environ["TZ"], os.environ["PROJ_NETWORK"]) == ("UTC", "OFF")
    assert foreign("area") == []


def test_a_stage_of_small_products_multiplies_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "16")
    assert set_aside("prepare") == ["OPENBLAS_NUM_THREADS"]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert set_aside("prepare") == set_aside("area") == []
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_a_login_is_taken_from_the_other_stages_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.TRACKING_URI, "http://host:5000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://left:5000")
    assert set_aside("predict") == []
    assert not {settings.TRACKING_URI, "MLFLOW_REGISTRY_URI", "AWS_SECRET_ACCESS_KEY"} & set(os.environ)


def test_what_a_library_leaves_to_its_children_is_taken_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    left = subprocess.run(
        [sys.executable, "-c", "import sklearn, os; print(*(n for n in os.environ if n.startswith('KMP_')))"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert left
    for name in left:
        monkeypatch.setenv(name, "x")
    assert set_aside("area") == []
    assert not set(left) & set(os.environ)


def test_no_stage_needs_what_another_one_has_no_name_for() -> None:
    assert set(NEEDED) == {"ingest", "track"}
