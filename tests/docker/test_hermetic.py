"""A real engine keeps a stage from seeing or touching what it does not declare, and leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import container
from engine import Engine
from stages.common import settings
from tests.docker.conftest import Rogue

pytestmark = pytest.mark.engine

WRITE = "import pathlib; p = pathlib.Path('artifacts/labels'); p.mkdir(); (p / 'glacier.tif').write_text('whole')"
HANG = f"{WRITE}; import time; print('begun', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def with_images(engine: Engine) -> None:
    """Every test here needs the engine."""


def test_outputs_are_put_in_place_and_belong_to_the_caller(rogue: Rogue, engine: Engine) -> None:
    result = rogue.run(f"{WRITE}; print(pathlib.Path('data/aoi.gpkg').read_text())")
    assert (result.returncode, result.stdout) == (0, "declared\n"), result.stderr
    assert (rogue.output / "glacier.tif").read_text() == "whole"
    for path in (rogue.folder / "artifacts", rogue.output, rogue.output / "glacier.tif"):
        assert path.stat().st_uid == os.getuid()
    assert rogue.left_behind(engine) == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param("open('data/outlines.gpkg')", "No such file or directory", id="reads an undeclared file"),
        pytest.param("import os; os.listdir('data/scenes')", "No such file or directory", id="lists what is not its"),
        pytest.param("open('{host}/data/aoi.gpkg')", "No such file or directory", id="reads by the host's path"),
        pytest.param("open('data/aoi.gpkg', 'w')", "Read-only file system", id="writes to a dependency"),
        pytest.param("import os; os.remove('data/aoi.gpkg')", "Read-only file system|busy", id="removes a dependency"),
        pytest.param("open('result.txt', 'w')", "Read-only file system", id="writes beside its folder"),
        pytest.param("open('/app/stages/common/x', 'w')", "Read-only file system", id="writes to the code"),
        pytest.param("open('/etc/x', 'w')", "Read-only file system", id="writes to the system"),
        pytest.param(
            "import socket; socket.create_connection(('1.1.1.1', 80), 3)", "Network is unreachable", id="opens a socket"
        ),
        pytest.param("import socket; socket.getaddrinfo('pypi.python', 80)", "resolution|known", id="asks for a name"),
        pytest.param(
            "import socket; socket.create_connection(('127.0.0.1', {port}), 3)", "refused", id="calls the host"
        ),
        pytest.param("import stages.predict.contract", "No module named", id="imports another stage"),
        pytest.param("import os; os.chown('/tmp', 1, 1)", "not permitted", id="uses root's privilege"),
    ],
)
def test_a_rogue_stage_fails(rogue: Rogue, engine: Engine, code: str, error: str) -> None:
    before = sorted(path for path in rogue.folder.rglob("*"))
    code = code.replace("{host}", str(rogue.folder)).replace("{port}", "22")
    result = rogue.run(f"{WRITE}; {code}")
    assert result.returncode == 1
    assert any(words in result.stderr for words in error.split("|")), result.stderr
    assert not rogue.output.exists()
    assert rogue.left_behind(engine) == []
    (rogue.folder / "artifacts/.tmp").rmdir()
    (rogue.folder / "artifacts").rmdir()
    assert sorted(path for path in rogue.folder.rglob("*")) == before


def test_a_stage_that_writes_into_another_ones_folder_fails(rogue: Rogue, engine: Engine) -> None:
    result = rogue.run(f"{WRITE}; p = p.parent / 'predict'; p.mkdir(); (p / 'mask.tif').write_text('x')")
    assert result.returncode == 2
    assert "labels wrote a file that dvc.yaml does not declare" in result.stderr
    assert "artifacts/predict/mask.tif" in result.stderr
    assert not rogue.output.exists()
    assert rogue.left_behind(engine) == []


def test_a_failed_run_leaves_the_earlier_output(rogue: Rogue) -> None:
    assert rogue.run(WRITE).returncode == 0
    assert rogue.run(f"{WRITE}; 1 / 0").returncode == 1
    assert (rogue.output / "glacier.tif").read_text() == "whole"


@pytest.mark.parametrize("code", [0, 1, 2, 77])
def test_exit_codes_come_back_unchanged(rogue: Rogue, code: int) -> None:
    assert rogue.run(f"raise SystemExit({code})").returncode == code


def test_the_process_has_no_privilege(rogue: Rogue) -> None:
    text = rogue.run("print(open('/proc/self/status').read())").stdout
    status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split()[0] == str(os.getuid())


def test_too_little_memory_is_said(rogue: Rogue) -> None:
    result = rogue.run("x = bytearray(10**9)", GLACIER_MEMORY="100m")
    assert result.returncode == 137
    assert "labels was killed, perhaps for want of memory (GLACIER_MEMORY: 100m)" in result.stderr


def begin(rogue: Rogue) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        rogue.command(HANG), cwd=rogue.folder, env=rogue.environment(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def container_of(engine: Engine) -> str:
    (name,) = engine.ask("ps", "--filter", "name=glacier-", "--format", "{{.Names}}").stdout.split()
    return name


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        pytest.param(lambda process, _: os.killpg(process.pid, signal.SIGINT), 130, id="Ctrl-C"),
        pytest.param(lambda process, _: process.terminate(), 143, id="SIGTERM to the runner"),
        pytest.param(lambda _, engine: engine.ask("stop", container_of(engine)), 143, id="docker stop"),
    ],
)
def test_an_interrupted_stage_leaves_nothing_and_the_next_run_completes(
    rogue: Rogue, engine: Engine, stop: object, code: int
) -> None:
    process = begin(rogue)
    stop(process, engine)  # type: ignore[operator]
    with process:
        assert process.wait(timeout=30) == code
    assert rogue.left_behind(engine) == []
    assert not rogue.output.exists()
    assert rogue.run(WRITE).returncode == 0
    assert (rogue.output / "glacier.tif").read_text() == "whole"


def test_what_a_killed_runner_left_is_cleared_by_the_next_run(rogue: Rogue, engine: Engine) -> None:
    process = begin(rogue)
    process.kill()
    with process:
        process.wait()
    assert len(rogue.left_behind(engine)) == 2  # a container still at work, and its draft
    assert rogue.run(WRITE).returncode == 0
    assert rogue.left_behind(engine) == []
    assert (rogue.output / "glacier.tif").read_text() == "whole"


def _as_user(uid: int, groups: list[int], folder: Path, code: str, result: object) -> None:
    os.setgroups(groups)
    os.setgid(uid)
    os.setuid(uid)
    os.chdir(folder)
    result.put(container.main(["python", "-c", code]))  # type: ignore[attr-defined]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_gets_his_own_files(rogue: Rogue, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.DVC_STAGE, "labels")
    monkeypatch.setenv(settings.RUNNER, "docker")
    uid = 12345
    home = Path("/var/tmp") / f"glacier-{os.getpid()}"  # pytest's own folders are closed to others
    shutil.copytree(rogue.folder, home)
    try:
        for path in (home, *home.rglob("*")):
            os.chown(path, uid, uid)
        context = multiprocessing.get_context("fork")
        result = context.Queue()
        group = Path("/var/run/docker.sock").stat().st_gid
        process = context.Process(
            target=_as_user, args=(uid, [group], home, f"{WRITE}; import os; print(os.getuid())", result)
        )
        process.start()
        process.join(timeout=60)
        assert result.get(timeout=5) == 0
        written = home / "artifacts/labels/glacier.tif"
        assert (written.stat().st_uid, written.stat().st_gid) == (uid, uid)
    finally:
        shutil.rmtree(home)
