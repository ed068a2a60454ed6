"""The engine's command line, and errors that need no engine."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

import container
from declared import Declared, declared_stage
from engine import EngineError, find_engine
from planning import plan_container
from stages.common import settings
from stages.common.errors import ContractError, InputError
from tests.docker.conftest import RUN, Rogue

pytestmark = pytest.mark.usefixtures("plain")


def test_an_absent_dependency_is_named(rogue: Rogue) -> None:
    (rogue.folder / "data/aoi.gpkg").unlink()
    with pytest.raises(InputError, match="a declared dependency does not exist") as caught:
        plan_container(declared_stage("labels", rogue.folder), rogue.folder)
    assert caught.value.where == str(rogue.folder / "data/aoi.gpkg")


def test_a_folder_that_cannot_be_written_is_named(rogue: Rogue) -> None:
    (rogue.folder / "artifacts").write_text("a file in the folder's place")
    with pytest.raises(EngineError, match="the output folder cannot be written") as caught:
        container.prepare_draft(plan_container(declared_stage("labels", rogue.folder), rogue.folder))
    assert caught.value.found == "Not a directory"


def test_what_is_not_declared_is_not_put_in_place(rogue: Rogue) -> None:
    planned = plan_container(declared_stage("labels", rogue.folder), rogue.folder)
    container.prepare_draft(planned)
    for name in ("artifacts/labels/glacier.tif", "artifacts/other/x"):
        (planned.draft / name).parent.mkdir(parents=True)
        (planned.draft / name).touch()
    with pytest.raises(ContractError, match=r"wrote a file that dvc\.yaml does not declare") as caught:
        container.place_outputs(planned)
    assert caught.value.where == "artifacts/other/x"
    assert not rogue.output.exists()


@pytest.mark.parametrize("error", [errno.EXDEV, errno.ENOSPC], ids=["another disk", "a full disk"])
def test_an_output_is_never_lost_when_a_new_one_cannot_be_moved(
    error: int, rogue: Rogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    rogue.output.mkdir(parents=True)
    (rogue.output / "glacier.tif").write_text("old")
    plan_of_labels = plan_container(declared_stage("labels", rogue.folder), rogue.folder)
    container.prepare_draft(plan_of_labels)
    (plan_of_labels.draft / "artifacts/labels").mkdir()
    (plan_of_labels.draft / "artifacts/labels/glacier.tif").write_text("new")
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        if plan_of_labels.draft in Path(source).parents:
            raise OSError(error, os.strerror(error))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    with contextlib.suppress(OSError):
        container.place_outputs(plan_of_labels)
    assert (rogue.output / "glacier.tif").read_text() == ("new" if error == errno.EXDEV else "old")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_of_a_stage_is_passed_on_and_its_traceback_is_kept(
    code: int, rogue: Rogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is a script that ends as the stage would, and writes as it would into what is mounted."""
    engine = tmp_path / "docker"
    written = "artifacts/.tmp/traceback-labels.txt"
    engine.write_text(
        f'#!/bin/sh\n[ "$1" = run ] || exit 0\ncd "{rogue.folder}/artifacts/.tmp/run-labels" || exit 9\n'
        f"mkdir -p artifacts/.tmp artifacts/labels\n[ {code} != 3 ] || echo Traceback >{written}\nexit {code}\n"
    )
    engine.chmod(0o755)
    monkeypatch.setenv(settings.ENGINE, str(engine))
    monkeypatch.setenv(settings.DVC_STAGE, "labels")
    monkeypatch.setattr(container.images, "ensure", lambda *_: "image:tag")
    monkeypatch.chdir(rogue.folder)
    assert container.main(["true"]) == code
    assert (rogue.folder / written).exists() == (code == 3)
    assert rogue.output.exists() == (code == 0)
    assert not (rogue.folder / "artifacts/.tmp/run-labels").exists()


def test_mount_points_are_made_by_the_caller(site: Path) -> None:
    planned = plan_container(declared_stage("report", site), site)
    container.prepare_draft(planned)
    assert (planned.draft / "artifacts/area").is_dir()
    assert stat.S_ISDIR((planned.draft / "artifacts/predict").stat().st_mode)
    container.place_outputs(planned)  # they are no output


def test_ingest_keeps_the_hashes_of_the_old_pin(site: Path) -> None:
    (site / "data.dvc").write_text("outs: []\n")
    planned = plan_container(declared_stage("ingest", site), site)
    container.prepare_draft(planned)
    assert (planned.draft / "data.dvc").read_text() == "outs: []\n"
    assert Declared(name="ingest", reads=(), writes=("data.dvc", "data")).writable == (".",)


def run(rogue: Rogue, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != settings.ENGINE}
    return subprocess.run(
        [RUN, "python", "-c", "print('it ran')"], cwd=rogue.folder, env=variables | environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_native_runs_the_command_as_it_stands(rogue: Rogue) -> None:
    for environment in ({"RUNNER": ""}, {"RUNNER": "native"}):
        assert run(rogue, **environment).stdout == "it ran\n"


@pytest.mark.parametrize(
    ("environment", "messages"),
    [
        pytest.param({"RUNNER": "lxc"}, ["the runner is unknown", "RUNNER=lxc"], id="unknown runner"),
        pytest.param(
            {"RUNNER": "podman", "GLACIER_ENGINE": "no-such-program"},
            ["podman is not installed", "GLACIER_ENGINE", "no-such-program"],
            id="not installed",
        ),
        pytest.param(
            {"RUNNER": "docker", "GLACIER_ENGINE": "false"}, ["docker does not answer", "/false"], id="does not answer"
        ),
    ],
)
def test_errors_say_what_to_do(rogue: Rogue, environment: dict[str, str], messages: list[str]) -> None:
    result = run(rogue, DVC_STAGE="labels", **environment)
    assert (result.returncode, result.stdout) == (2, "")
    for words in (*messages, "fix:"):
        assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_runner_named_natively_means_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.RUNNER, "native")
    monkeypatch.setenv(settings.ENGINE, "true")
    assert find_engine().kind == "docker"
