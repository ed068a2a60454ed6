"""Models in MLflow's registry as versions to compare; nothing is written there."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common import settings
from stages.common.errors import InputError
from stages.track import store

LOG = logging.getLogger("compare")


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A version of the site's registered model."""

    number: str
    model: Path
    params: dict[str, str]
    metrics: dict[str, dict[str, Any]]
    """Document by stage."""
    git_commit: str | None
    experiment: str | None
    """Name of the experiment of ``dvc exp`` that logged it."""
    data_dvc_md5: str | None


class Registry:
    """The registered model of one site."""

    def __init__(self, site_name: str) -> None:
        settings.quiet_mlflow()
        self.name = f"glacier-{site_name}"
        self._location = store.locate()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        import mlflow
        from mlflow.exceptions import MlflowException

        with (
            store.quiet(LOG),
            settings.mlflow_time_limits(timeout_s=store.FIRST_CONTACT_S, retries=store.FIRST_CONTACT_RETRIES),
        ):
            try:
                mlflow.set_tracking_uri(self._location.uri)
                mlflow.set_registry_uri(self._location.uri)
                yield mlflow.MlflowClient()
            except (MlflowException, OSError) as error:
                raise InputError(
                    "the model registry does not answer", where=self._location.shown, found=str(error).split("\n")[0],
                    fix=f"start the server, or correct {settings.TRACKING_URI}",
                ) from error  # fmt: skip

    def names(self) -> dict[str, str]:
        """Every name of a version to its number: ``12``, ``v12``, and the aliases; empty without a registry."""
        database = self._location.database
        if database is not None and not database.is_file():
            return {}
        with self._client() as client:
            numbers = [one.version for one in client.search_model_versions(f"name = '{self.name}'")]
            model = client.get_registered_model(self.name) if numbers else None
            aliases = {alias: str(number) for alias, number in model.aliases.items()} if model else {}
        known = {str(number): str(number) for number in numbers}
        return known | {f"v{number}": number for number in known} | aliases

    def fetch(self, number: str, folder: Path) -> Registered:
        """Download a version's model and the numbers of its run into `folder`."""
        import mlflow

        with self._client() as client:
            version = client.get_model_version(self.name, number)
            fetched = mlflow.artifacts.download_artifacts(
                artifact_uri=f"models:/{self.name}/{number}", dst_path=str(_made(folder / "model"))
            )
            run = client.get_run(version.run_id)
            documents = Path(client.download_artifacts(run.info.run_id, "metrics", str(_made(folder / "run"))))
            return Registered(
                number=number,
                model=next(Path(fetched).rglob("*.onnx")),
                params=dict(run.data.params),
                metrics={path.stem: json.loads(path.read_text(encoding="utf-8")) for path in documents.glob("*.json")},
                git_commit=re.sub("-dirty$", "", run.data.tags.get("git_commit", "")) or None,
                experiment=run.data.tags.get("experiment_name"),
                data_dvc_md5=run.data.tags.get("data_dvc_md5"),
            )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
