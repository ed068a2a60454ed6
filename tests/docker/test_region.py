"""A region whose scheduler, worker and client run in containers: the bytes of cells mapped without any."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import images
from engine import Engine
from region.cell import map_cell
from region.inventory import load_inventory
from region.jobs import make_jobs
from region.params import RegionParams, load_region
from region.plan import cut_into_cells
from region.results import results_of
from sandbox import mountains, tiny
from sandbox.loopback import free_port, wait_for
from stages.common import settings
from tests.docker.conftest import require

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

CELLS = 2


def make_region(regions: Path, **region: Any) -> Path:
    """Write a region of two cells with two glaciers each."""
    folder = mountains.make_region(regions, **region)
    tiny.write_outlines(folder / "source/outlines.gpkg", mountains.glaciers()[: 2 * CELLS])
    return folder


@pytest.fixture
def image(program: Engine) -> str:
    """Name of the image that holds the environment of regions."""
    return require(program, images.Image("region"), "make test-containers")


@pytest.fixture
def without_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Bytes and MD5 of every file of each cell, mapped in this process and the environment of sites."""
    monkeypatch.setenv(settings.INFERENCE_THREADS, "1")
    region = load_region(make_region(tmp_path / "native/regions"))
    features, glaciers = load_inventory(region)
    cell_m, margin_m = mountains.CELL_M, mountains.MARGIN_M
    cells = cut_into_cells(glaciers, cell_m=cell_m, margin_m=margin_m, grid=region.checked.grid)
    for job in make_jobs(region, features, cells, results_of(region)):
        map_cell(job, tmp_path / "native/scratch")
    return files_of(region)


def files_of(region: RegionParams) -> dict[str, Any]:
    """Bytes and MD5 of every file of each finished cell."""
    return {manifest["cell"]: manifest["files"] for manifest in results_of(region).manifests()}


@dataclass(frozen=True)
class Containers:
    """Programs of the environment of regions, started as docs/region.md says, with `home` as their folder."""

    engine: Engine
    image: str
    home: Path

    def arguments(self, name: str, *command: str) -> list[str]:
        """Return the engine's arguments; what one program has compiled of Dask, the next one need not."""
        return [
            "--env", "PYTHONDONTWRITEBYTECODE=", "--env", f"PYTHONPYCACHEPREFIX={self.home / 'compiled'}",
            "--name", name, "--network", "host", *self.engine.user(), "--env", f"PYTHONPATH={tiny.ROOT}",
            "--volume", f"{tiny.ROOT}:{tiny.ROOT}:ro", "--volume", f"{self.home}:{self.home}", "--workdir",
            str(self.home), self.image, *command,
        ]  # fmt: skip

    @contextmanager
    def running(self, name: str, *command: str) -> Iterator[None]:
        """Run a program beside the test, and remove its container at the end."""
        started = self.engine.ask("run", "--detach", *self.arguments(name, *command))
        assert started.returncode == 0, started.stderr
        try:
            yield
        finally:
            self.engine.remove(name)

    def has_said(self, name: str, words: str) -> bool:
        """Whether a running program has said these words; they stand in ``<home>/log.txt``."""
        said = self.engine.ask("logs", name)
        (self.home / "log.txt").write_text(said.stdout + said.stderr)
        return words in said.stdout + said.stderr


def test_cells_mapped_in_containers_have_the_bytes_of_those_mapped_without(
    program: Engine, image: str, without_containers: dict[str, Any], empty_database: Path, tmp_path: Path
) -> None:
    home, port = tmp_path / "containers", free_port()
    address = f"tcp://127.0.0.1:{port}"
    folder = make_region(home / "regions", scheduler=address)
    (home / "mlruns").mkdir()
    shutil.copy(empty_database, home / "mlruns/mlflow.db")
    containers = Containers(program, image, home)
    scheduler, worker = f"glacier-scheduler-{port}", f"glacier-worker-{port}"
    serve = f"dask scheduler --host 127.0.0.1 --port {port}"
    work = f"dask worker {address} --nthreads 1 --memory-limit 1.5GiB --preload region.worker"
    with containers.running(scheduler, *serve.split()):
        wait_for(lambda: containers.has_said(scheduler, "Scheduler at:"), home / "log.txt")
        with containers.running(worker, *work.split()):
            wait_for(lambda: containers.has_said(worker, "Registered to:"), home / "log.txt")
            client = containers.arguments(f"glacier-client-{port}", "python", "-m", "region", "range")
            done = program.ask("run", "--rm", *client)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"0 of {CELLS} cells are done already" in done.stderr
    assert len(without_containers) == CELLS
    assert files_of(load_region(folder)) == without_containers
