"""MLflow's server from docker/compose.yaml, in SQLite and in PostgreSQL, and `track` in its container logging to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine
from images import base_image
from sandbox import tiny
from stages.common import settings
from tests.docker.conftest import RUN, absent
from tests.server import free_port, wait
from tests.track import pipeline

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]


class Compose:
    """The services, in a project of their own."""

    def __init__(self, engine: Engine, command: list[str], port: int) -> None:
        self.command = [*command, "--project-name", "glaciertest", "--file", str(tiny.ROOT / "docker/compose.yaml")]
        self.environment = os.environ | {
            "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1", "MLFLOW_PORT": str(port),
            "MLFLOW_POSTGRESQL_PORT": str(port), settings.BASE_IMAGE: base_image(),
            # docker-compose builds by calling docker: the engine's own must be the first on the path.
            "PATH": f"{Path(engine.program).parent}:{os.environ['PATH']}",
        }  # fmt: skip

    def run(self, *arguments: str) -> None:
        answer = subprocess.run(
            [*self.command, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]


def installed(*command: str) -> bool:
    try:
        return subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def compose(engine: Engine) -> Iterator[tuple[Compose, str]]:
    commands = [[engine.program, "compose"], ["docker-compose"]]
    available = [command for command in commands if installed(*command)]
    if not available:
        absent("neither `docker compose` nor docker-compose is installed")
    port = free_port()
    compose = Compose(engine, available[0], port)
    try:
        yield compose, f"http://127.0.0.1:{port}"
    finally:
        compose.run("--profile", "postgresql", "down", "--volumes", "--timeout", "2")


@pytest.mark.parametrize("services", [["mlflow"], ["postgresql", "mlflow-postgresql"]], ids=["SQLite", "PostgreSQL"])
def test_track_logs_to_the_server(services: list[str], compose: tuple[Compose, str], tmp_path: Path) -> None:
    server, uri = compose
    server.run("--profile", "postgresql", "up", "--detach", *services)
    wait(uri)
    pipeline.write_inputs(tmp_path)
    shutil.copy(tiny.ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "mlruns").mkdir()
    environment = os.environ | {"RUNNER": "docker", settings.TRACKING_URI: uri, settings.DVC_ROOT: str(tmp_path)}
    command = [RUN, "python", "-m", "stages.track"]
    for message in ("logged run", "this state is logged already"):
        answer = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        assert message in answer.stderr
    assert list((tmp_path / "mlruns").iterdir()) == []
