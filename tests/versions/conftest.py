"""A small site in a git repository, with DVC, a folder as remote, and an MLflow store of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import tiny
from stages.common import logs, settings
from stages.common.params.schema import load_params, section_values
from stages.common.run.flatten import flatten
from stages.common.run.outputs import write_json
from stages.common.run.stage import run_stage
from stages.common.tables.area import GateFinding, Gates
from stages.ingest.ingest import ingest
from stages.labels.contract import CONTRACT as LABELS
from stages.labels.label import label
from stages.patches.contract import CONTRACT as PATCHES
from stages.patches.cut import cut_patches
from stages.prepare.contract import CONTRACT as PREPARE
from stages.prepare.prepare import prepare
from stages.track import record, store
from tests import forked
from tests.conftest import made_once
from tests.models import card
from tests.repository import NO_REPORT, init
from tests.versions.models import BETTER, GOOD, write_model
from versions.promote.promote import promote
from versions.registry.registry import Registry
from versions.tools import commands

settings.quiet_mlflow()
with warnings.catch_warnings():
    # MLflow's own imports use what pydantic and others deprecate.
    warnings.simplefilter("ignore")
    import mlflow

LOG = logging.getLogger("test")
SPLIT = ("patches", "grid", "labels")


@dataclass
class Site:
    """The site, which is a repository by itself."""

    folder: Path

    def command(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PYTHONPATH": str(tiny.ROOT),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            **NO_REPORT,
        }
        if command[0] == "dvc":
            return forked.run((sys.executable, "-m", *command), cwd=self.folder, env=environment)
        if command[0] == sys.executable:
            return forked.run(command, cwd=self.folder, env=environment)
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def done(self, *command: str) -> str:
        result = self.command(*command)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout.strip()

    def tool(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``python -m versions.<name>``, in a process of its own."""
        code = f"{forked.FORKING}import runpy; runpy.run_module('versions.{name}', run_name='__main__')"
        return self.command(sys.executable, "-c", code, *arguments)

    @property
    def registry(self) -> Registry:
        location = store.locate_store()
        with store.quiet(LOG):
            client, _ = store.connect(location, "tiny")
        return Registry(client, store.model_name("tiny"), location.public_uri)

    def entity(self, number: str) -> Any:
        """A version as the store has it now."""
        return self.registry.client.get_model_version("glacier-tiny", number)

    def tags(self, number: str) -> dict[str, str]:
        return dict(self.entity(number).tags)

    def register(
        self, kind: tuple[float, float], *, gates: bool = True, tags: dict[str, str] | None = None, **logged: str
    ) -> str:
        """Log a run with a model as `track` does, and return the version's number."""
        scratch = self.folder / "artifacts/.tmp/register"
        model = write_model(scratch / "train/model.onnx", *kind)
        write_json(scratch / "train/model_card.json", card(tiny.BANDS, 1, 0, 4, members=1, temperature=1.0))
        gates_document = Gates(findings=[GateFinding(gate="annual_change", passed=gates, message="made up")])
        write_json(scratch / "area/gates.json", gates_document)
        write_json(scratch / "metrics/evaluate.json", {"model": {"iou": 0.5}})
        params = flatten(section_values(load_params(self.folder / "params.yaml"), SPLIT)) | logged
        with store.quiet(LOG):
            client, experiment = store.connect(store.locate_store(), "tiny")
            with mlflow.start_run(experiment_id=experiment, tags=tags) as run:
                record.log_params(client, run.info.run_id, params)
                record.log_files(
                    client,
                    run.info.run_id,
                    [scratch / name for name in ("train/model_card.json", "area/gates.json", "metrics/evaluate.json")],
                )
                return record.log_model(client, run.info.run_id, model, name="glacier-tiny", tags={})


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site up to what versions are judged on, committed, with a remote beside it."""
    return made_once(tmp_path_factory, "prepared", prepare_site) / "site"


def prepare_site(root: Path) -> None:
    folder = tiny.make_site(root / "site", years=(2020,))
    site = Site(folder)
    with contextlib.chdir(folder):
        ingest(load_params(), logs.configure("ingest"))
        run_stage(PREPARE, prepare, year=2020, log=LOG)
        run_stage(LABELS, label, year=None, log=LOG)
        run_stage(PATCHES, cut_patches, year=2020, log=LOG)
    for name in (".dvcignore", ".gitignore"):
        shutil.copy(tiny.ROOT / name, folder)
    init(folder)
    for command in (
        ("git", "config", "user.name", "Test"), ("git", "config", "user.email", "test@localhost"),
        ("git", "config", "gc.auto", "0"),
        ("dvc", "remote", "add", "--quiet", "--default", "folder", "../remote"),
        ("dvc", "commit", "--quiet", "--force", "prepare@2020", "labels", "patches@2020"),
        ("git", "add", "--all"), ("git", "commit", "--quiet", "--message", "The site"),
    ):  # fmt: skip
        site.done(*command)


@pytest.fixture
def site(prepared: Path, empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return enter(tmp_path, prepared, empty_database, monkeypatch)


def enter(home: Path, prepared: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Copy the site into a folder, with an empty store of runs, and make it the working directory."""
    folder = home / "site"
    shutil.copytree(prepared, folder, symlinks=True)
    (folder / "mlruns").mkdir()
    shutil.copy(empty_database, folder / "mlruns")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(commands, "subprocess", forked)
    for name in (settings.TRACKING_URI, settings.DVC_ROOT, settings.GIT_COMMIT):
        monkeypatch.delenv(name, raising=False)
    return Site(folder)


@pytest.fixture(scope="session")
def champion_and_challenger(prepared: Path, empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a site and its remote: version 1, GOOD, is champion, and version 2, BETTER, is registered after it."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            site = enter(root, prepared, empty_database, patch)
            promote(site.folder, site.register(GOOD))
            site.register(BETTER)

    return made_once(tmp_path_factory, "champion-and-challenger", make)
