"""An engine for the tests marked ``engine``: skipped with a reason where there is none, failed where there must be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import images
from declared import declared_stage
from engine import Engine, find_engine
from sandbox import tiny
from stages.common import settings
from stages.common.errors import GlacierError
from stages.common.run.environment import NEEDED

RUN = tiny.ROOT / "docker/run"
DAG = ("prepare@2020", "labels", "patches@2020", "train", "evaluate", "predict@2020", "area", "report", "track", "gate")


def absent(reason: str) -> None:
    if settings.get(settings.ENGINE_REQUIRED, ""):
        pytest.fail(f"{settings.ENGINE_REQUIRED} is set, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def program() -> Engine:
    """A real engine, whatever images it has."""
    try:
        program = find_engine()
        program.check()
    except GlacierError as error:
        absent(f"no container engine answers: {error.what}")
    return program


def require(program: Engine, image: images.Image, command: str) -> str:
    """Build an image where that is required; skip where it is absent, and name the command that builds it."""
    required = os.environ.get(settings.ENGINE_REQUIRED)
    if program.ask("image", "inspect", image.reference).returncode and not required:
        absent(f"{image.reference} is not built: run `{command}`")
    return images.ensure(program, image)


@pytest.fixture(scope="session")
def engine(program: Engine) -> Engine:
    """A real engine on which the images stand; they are built by `make images`, or here where that is required."""
    for stage in (name for stages in images.FAMILIES.values() for name in stages):
        require(program, images.image_of(stage), "make images")
    return program


class Rogue:
    """A site whose stage `labels` does whatever a test wants; it declares one dependency and one output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        (folder / "data/aoi.gpkg").write_text("declared")
        (folder / "data/outlines.gpkg").write_text("not declared")
        (folder / "params.yaml").write_text("site: {name: rogue}\n")
        (folder / "dvc.yaml").write_text(
            "stages:\n  labels:\n    cmd: docker/run true\n    deps: [data/aoi.gpkg]\n    outs: [artifacts/labels]\n"
        )

    def command(self, code: str) -> list[str]:
        return [str(RUN), "python", "-c", code]

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {"RUNNER": "docker", "DVC_STAGE": "dvc.yaml:labels", **more}

    def run(self, code: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(code), cwd=self.folder, env=self.environment(**more), capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    def left_behind(self, engine: Engine) -> list[str]:
        """Containers and drafts that should be gone."""
        names = engine.ask("ps", "--all", "--filter", "name=glacier-", "--format", "{{.Names}}").stdout.split()
        scratch = self.folder / "artifacts/.tmp"
        return names + [path.name for path in (scratch.iterdir() if scratch.is_dir() else [])]

    @property
    def output(self) -> Path:
        return self.folder / "artifacts/labels"


@pytest.fixture
def rogue(tmp_path: Path) -> Rogue:
    return Rogue(tmp_path / "site")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this shell that a container would get."""
    for name in (
        settings.TRACKING_URI, settings.NETWORK, settings.MEMORY, settings.CPUS, settings.INFERENCE_THREADS,
        settings.DVC_ROOT, settings.LOG_LEVEL, settings.RUNNER, settings.ENGINE, *NEEDED["ingest"], *NEEDED["track"],
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with everything that any stage reads."""
    folder = tmp_path / "sites/tiny"
    folder.mkdir(parents=True)
    (tmp_path / ".dvc").mkdir()
    (folder / "dvc.yaml").symlink_to(tiny.ROOT / "dvc.yaml")
    tiny.write_params(folder, tiny.params(folder / "source", [2020]))
    for name in DAG:
        for path in declared_stage(name, folder).reads:
            target = folder / path
            if not target.exists():
                target.mkdir(parents=True)
    (folder / "data.dvc").touch()
    monkeypatch.chdir(folder)
    return folder
