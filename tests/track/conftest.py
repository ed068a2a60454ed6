from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

from stages.common import settings
from stages.common.run.stage import run_stage
from stages.track import store
from stages.track.contract import CONTRACT
from stages.track.track import track
from tests.track import pipeline

settings.quiet_mlflow()
with warnings.catch_warnings():
    # MLflow's own imports use what pydantic and others deprecate.
    warnings.simplefilter("ignore")
    import mlflow


class TrackedSite:
    """A site's folder inside a repository, and its store."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.folder = root / "sites" / "tiny"
        self.monkeypatch = monkeypatch
        self.uri = ""

    def track(self) -> str:
        """Run the stage and return the state it wrote."""
        # MLflow writes the store's address back into the environment of its process.
        self.monkeypatch.setenv(settings.TRACKING_URI, self.uri)
        run_stage(CONTRACT, track, year=None, log=logging.getLogger("track"))
        return pipeline.tracked(self.folder)

    @property
    def client(self) -> Any:
        return mlflow.MlflowClient(self.uri or f"sqlite:///{self.root}/mlruns/mlflow.db")

    def runs(self) -> list[Any]:
        """All runs, the newest first."""
        with store.quiet(logging.getLogger("quiet")):
            experiment = self.client.get_experiment_by_name("tiny")
            return list(self.client.search_runs([experiment.experiment_id]))

    def versions(self) -> list[str]:
        """Numbers of all registered versions, the newest first."""
        with store.quiet(logging.getLogger("quiet")):
            registered = self.client.search_model_versions("name = 'glacier-tiny'")
        return [str(number) for number in sorted((int(version.version) for version in registered), reverse=True)]

    def version(self, number: str) -> Any:
        return self.client.get_model_version("glacier-tiny", number)

    def challenger(self) -> str:
        with store.quiet(logging.getLogger("quiet")):
            return str(self.client.get_model_version_by_alias("glacier-tiny", "challenger").version)

    def points(self, run: Any, key: str) -> list[tuple[int, float]]:
        history = self.client.get_metric_history(run.info.run_id, key)
        return sorted((point.step, point.value) for point in history)


@pytest.fixture
def site(tmp_path, monkeypatch, empty_database) -> TrackedSite:
    """Inputs of `track` in a site's folder, which is the working directory; the store is the repository's."""
    tracked_site = TrackedSite(tmp_path, monkeypatch)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns")
    tracked_site.folder.mkdir(parents=True)
    pipeline.write_inputs(tracked_site.folder)
    monkeypatch.chdir(tracked_site.folder)
    for name in (
        settings.DVC_ROOT,
        settings.GIT_COMMIT,
        settings.RUNNER,
        settings.EXPERIMENT_NAME,
        settings.EXPERIMENT_PARENT,
    ):
        monkeypatch.delenv(name, raising=False)
    return tracked_site
