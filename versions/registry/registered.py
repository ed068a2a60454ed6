"""One registered version: its model, and what the run that trained it has logged. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stages.common.errors import ContractError
from stages.common.run.documents import read_json
from stages.common.run.records import file_md5
from stages.track.store import MODEL_TAG


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a site's registered model. What is asked for twice is fetched once."""

    client: Any
    model_name: str
    number: str
    run_id: str
    md5: str
    """MD5 that the model was registered with."""

    @classmethod
    def from_store(cls, client: Any, entity: Any) -> RegisteredVersion:
        """Return the version that a record of the store describes."""
        return cls(client, entity.name, str(entity.version), entity.run_id, str(entity.tags.get(MODEL_TAG)))

    @cached_property
    def _run(self) -> Any:
        return self.client.get_run(self.run_id)

    @property
    def params(self) -> dict[str, str]:
        """Parameters as the run logged them, by dotted name."""
        return dict(self._run.data.params)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the run: where it comes from."""
        return dict(self._run.data.tags)

    def fetch_model(self, folder: Path) -> Path:
        """Download the ONNX file into `folder`, unless it is there already.

        Raises
        ------
        ContractError
            The bytes that come from the store are not those that were registered.
        """
        import mlflow

        target = folder / f"v{self.number}/model"
        if not target.is_dir():
            uri = f"models:/{self.model_name}/{self.number}"
            mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(target))
        path = next(target.rglob("*.onnx"))
        if (md5 := file_md5(path)) != self.md5:
            raise ContractError(
                "the model in the store is not the one that was registered",
                where=f"{self.model_name} version {self.number}", expected=f"MD5 {self.md5}",
                found=f"MD5 {md5}", fix="choose another VERSION, or restore the store",
            )  # fmt: skip
        return path

    def fetch_artifact(self, name: str, folder: Path) -> Path:
        """Download a file or folder that the run logged, as ``train/model_card.json``, into `folder`."""
        target = folder / f"v{self.number}/run"
        target.mkdir(parents=True, exist_ok=True)
        return Path(self.client.download_artifacts(self.run_id, name, str(target)))

    def fetch_metrics(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Download the run's metrics documents into `folder`, and return them by stage."""
        documents = self.fetch_artifact("metrics", folder)
        return {path.stem: read_json(path) for path in documents.glob("*.json")}
