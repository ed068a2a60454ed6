"""The engine's command line: mounts, user, limits, network and variables of a stage."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from container import command_line
from declared import declared_stage
from engine import Engine
from planning import Mount, plan_container
from stages.common import settings
from stages.common.errors import SettingError
from stages.common.run.environment import foreign
from tests.docker.conftest import DAG

pytestmark = pytest.mark.usefixtures("plain")


def line(name: str, site: Path, kind: str = "docker", *, uid: int = 0, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(os, "getgid", lambda: uid)
    engine = Engine(kind, "/bin/true")  # type: ignore[arg-type]
    return command_line(engine, plan_container(declared_stage(name, site), site), "image:tag", ["python", "-m", "x"])


@pytest.mark.parametrize("kind", ["docker", "podman"])
@pytest.mark.parametrize("name", DAG)
def test_no_stage_of_the_dag_has_a_privilege_or_a_network(
    name: str, kind: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = line(name, site, kind, monkeypatch=monkeypatch)
    required = {
        "--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--init", "--rm",
        "--pull=never", "--user=0:0", "--workdir=/site",
    }  # fmt: skip
    assert required <= set(flags)
    assert flags[-4:] == ["image:tag", "python", "-m", "x"]
    writable = {flag.split("target=")[1] for flag in flags if flag.startswith("--mount") and "readonly" not in flag}
    outputs = {f"/site/{top}" for top in declared_stage(name, site).writable}
    assert writable == outputs | ({str(site.parents[1] / "mlruns")} if name == "track" else set())


def test_what_is_mounted_is_what_is_declared(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = [flag for flag in line("predict@2020", site, monkeypatch=monkeypatch) if flag.startswith("--mount")]
    draft = site / "artifacts/.tmp/run-predict@2020"
    assert flags == [
        f"--mount=type=bind,source={draft}/artifacts,target=/site/artifacts",
        f"--mount=type=bind,source={site}/params.yaml,target=/site/params.yaml,readonly",
        f"--mount=type=bind,source={site}/artifacts/train/model.onnx,target=/site/artifacts/train/model.onnx,readonly",
        f"--mount=type=bind,source={site}/artifacts/prepare/2020,target=/site/artifacts/prepare/2020,readonly",
    ]


@pytest.mark.parametrize(
    ("kind", "uid", "user"),
    [
        pytest.param("docker", 0, ["--user=0:0"], id="docker, root"),
        pytest.param("docker", 1000, ["--user=1000:1000"], id="docker, a user"),
        pytest.param("podman", 0, ["--user=0:0"], id="podman, root"),
        pytest.param("podman", 1000, ["--userns=keep-id", "--user=1000:1000"], id="podman, a user"),
    ],
)
def test_the_container_runs_as_the_caller(
    kind: str, uid: int, user: list[str], site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = line("area", site, kind, uid=uid, monkeypatch=monkeypatch)
    assert [flag for flag in flags if flag.startswith("--user")] == user
    assert ("--security-opt=label=disable" in flags) == (kind == "podman")


def test_a_users_own_daemon_maps_root_to_him(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho '[name=seccomp,profile=default name=rootless]'\n")
    program.chmod(0o755)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert Engine("docker", str(program)).user() == ["--user=0:0"]


def test_limits_come_from_the_environment(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.MEMORY, "4g")
    monkeypatch.setenv(settings.CPUS, "1.5")
    flags = line("predict@2020", site, monkeypatch=monkeypatch)
    assert {"--memory=4g", "--cpus=1.5", f"--env={settings.INFERENCE_THREADS}"} <= set(flags)
    assert plan_container(declared_stage("predict@2020", site), site).environment == {settings.INFERENCE_THREADS: "2"}


@pytest.mark.parametrize(
    ("name", "value"),
    [(settings.CPUS, "two"), (settings.CPUS, "-1"), (settings.CPUS, "nan"), (settings.MEMORY, "much")],
)
def test_a_limit_that_is_not_valid_is_refused(
    name: str, value: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"the environment variable {name} is not valid"):
        line("area", site, monkeypatch=monkeypatch)


def test_only_track_gets_a_network_and_only_with_a_server(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.TRACKING_URI, "http://user:secret@mlflow:5000")
    networks = {name: plan_container(declared_stage(name, site), site).network for name in (*DAG, "ingest")}
    assert {name for name, network in networks.items() if network != "none"} == {"track", "ingest"}
    monkeypatch.setenv(settings.NETWORK, "glacier")
    flags = line("track", site, monkeypatch=monkeypatch)
    assert "--network=glacier" in flags
    assert not any("secret" in flag for flag in flags)  # other users see a command line
    assert (
        plan_container(declared_stage("track", site), site).environment[settings.TRACKING_URI].endswith("@mlflow:5000")
    )


def test_only_ingest_gets_the_keys_of_a_store(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.S3_SECRET_KEY, "secret")
    environments = {name: plan_container(declared_stage(name, site), site).environment for name in (*DAG, "ingest")}
    assert [name for name, values in environments.items() if "secret" in values.values()] == ["ingest"]
    assert not any("secret" in flag for flag in line("ingest", site, monkeypatch=monkeypatch))


def test_proxies_and_certificates_reach_the_stages_with_a_network(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "certificates/bundle.pem"
    bundle.parent.mkdir()
    bundle.touch()
    passed = {
        "HTTPS_PROXY": "http://me:secret@proxy:3128", "no_proxy": "localhost", "SSL_CERT_FILE": str(bundle),
        "SSL_CERT_DIR": str(bundle.parent), "REQUESTS_CA_BUNDLE": str(tmp_path / "absent.pem"),
    }  # fmt: skip
    monkeypatch.setenv(settings.TRACKING_URI, "https://mlflow.example")
    for name, value in passed.items():
        monkeypatch.setenv(name, value)
    for name in ("ingest", "track"):
        planned = plan_container(declared_stage(name, site), site)
        assert passed.items() <= planned.environment.items()
        assert Mount(bundle.parent, PurePosixPath(bundle.parent)) in planned.mounts
        assert not any(str(mount.source).endswith(".pem") for mount in planned.mounts), "its folder is there already"
        assert not any("secret" in flag for flag in line(name, site, monkeypatch=monkeypatch))
    planned = plan_container(declared_stage("predict@2020", site), site)
    assert not passed.keys() & planned.environment.keys()


def test_a_container_and_a_native_run_have_the_same_variables(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["AWS_NO_SIGN_REQUEST", "GTIFF_POINT_GEO_IGNORE", "PROJ_DATA", "MLFLOW_RUN_ID", "MPLBACKEND", "AWS_PROFILE"]
    for name in names:
        monkeypatch.setenv(name, "x")
    for stage in ("ingest", "track", "predict@2020"):
        planned = plan_container(declared_stage(stage, site), site)
        natively = set(names) - set(foreign(stage.partition("@")[0]))
        assert natively == set(names) & planned.environment.keys()


def test_track_is_told_what_it_cannot_ask(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.GIT_COMMIT, "abc")
    planned = plan_container(declared_stage("track", site), site)
    root = site.parents[1]
    assert planned.environment == {settings.DVC_ROOT: str(root), settings.GIT_COMMIT: "abc", settings.RUNNER: "docker"}
    assert Mount(root / "mlruns", PurePosixPath(root / "mlruns"), writable=True) in planned.mounts
    assert Mount(site / "data.dvc", PurePosixPath("/site/data.dvc")) in planned.mounts


def test_a_comma_in_a_path_is_no_new_option() -> None:
    flag = Mount(Path("/a,readonly=false/b"), PurePosixPath("/site/b")).flag()
    assert flag == '--mount=type=bind,"source=/a,readonly=false/b",target=/site/b,readonly'
