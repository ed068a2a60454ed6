"""The registered versions of a site's model: who is champion, who was before, and how that changes hands.

An alias names one version, so there are never two champions. Which ones came before stands in a tag of the
registered model, written so that an interruption between the two leaves either the old state or the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from stages.common.errors import ContractError, InputError
from stages.common.run.records import file_md5
from stages.track.store import CHALLENGER, CHAMPION, MODEL_TAG
from versions.registry.lock import alone

HISTORY_TAG = "champions"
"""Tag of the registered model: numbers of all champions, the present one last."""
HISTORY_KEPT = 100


@dataclass(frozen=True)
class Registry:
    """Versions of one registered model."""

    client: Any
    name: str
    shown: str
    """The store's address, as it may be shown."""

    def alias(self, alias: str) -> str | None:
        """Number of the version that has the alias; None: no version has."""
        found = self.client.search_registered_models(f"name = '{self.name}'")
        aliases = found[0].aliases if found else {}
        return str(aliases[alias]) if alias in aliases else None

    @property
    def champion(self) -> str | None:
        """Number of the champion."""
        return self.alias(CHAMPION)

    def challenger(self) -> str:
        """Number of the challenger.

        Raises
        ------
        InputError
            Nothing was registered yet.
        """
        if found := self.alias(CHALLENGER):
            return found
        raise InputError(
            "no model is registered yet", where=f"{self.name} in {self.shown}", expected="a version named challenger",
            fix="run `make repro`: its stage `track` registers the model",
        )  # fmt: skip

    def no_champion(self) -> NoReturn:
        """Say that there is none.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            "there is no champion yet", where=f"{self.name} in {self.shown}", fix="`make promote` makes the first"
        )

    def md5(self, number: str) -> str:
        """MD5 that a version's model was registered with."""
        return str(self.version(number).tags.get(MODEL_TAG))

    def version(self, number: str) -> Any:
        """A registered version.

        Raises
        ------
        InputError
            There is none of that number; the message names those there are.
        """
        found = {str(one.version): one for one in self.client.search_model_versions(f"name = '{self.name}'")}
        if number not in found:
            raise InputError(
                "no version has this number", where=f"{self.name} in {self.shown}", found=number,
                expected=f"one of {', '.join(sorted(found, key=int))}" if found else "none is registered yet",
                fix="give VERSION=<number>, or nothing for the challenger",
            )  # fmt: skip
        return found[number]

    def fetch_model(self, number: str, folder: Path) -> Path:
        """Download a version's ONNX file into `folder`.

        Raises
        ------
        ContractError
            The store hands out other bytes than were registered.
        """
        import mlflow

        target = folder / f"v{number}"
        mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{self.name}/{number}", dst_path=str(target))
        path = next(target.rglob("*.onnx"))
        if (found := file_md5(path)) != (expected := self.md5(number)):
            raise ContractError(
                "the store hands out another model than was registered", where=f"{self.name} version {number}",
                expected=f"MD5 {expected}", found=f"MD5 {found}", fix="choose another VERSION, or restore the store",
            )  # fmt: skip
        return path

    def fetch_document(self, number: str, name: str, folder: Path) -> Path:
        """Download a file that the version's run logged, as ``train/model_card.json``."""
        run_id = self.version(number).run_id
        (folder / f"v{number}").mkdir(exist_ok=True)
        return Path(self.client.download_artifacts(run_id, name, str(folder / f"v{number}")))

    def logged_params(self, number: str) -> dict[str, str]:
        """Parameters as the version's run logged them, flat."""
        return dict(self._run(number).data.params)

    def logged_tags(self, number: str) -> dict[str, str]:
        """Tags of the version's run: where it comes from."""
        return dict(self._run(number).data.tags)

    def _run(self, number: str) -> Any:
        return self.client.get_run(self.version(number).run_id)

    def note(self, number: str, tags: dict[str, str], description: str) -> None:
        """Store tags and a description (Markdown) with a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(self.name, number, key, value)
        self.client.update_model_version(self.name, number, description=description)

    def champions(self) -> list[str]:
        """Numbers of all champions, the present one last.

        What stands behind the present one is left of an interrupted change of hands, and counts for nothing.
        """
        champion = self.champion
        if champion is None:
            return []
        recorded = self.client.get_registered_model(self.name).tags.get(HISTORY_TAG, "").split()
        while recorded and recorded[-1] != champion:
            recorded.pop()
        return recorded or [champion]

    def crown(self, number: str, *, instead_of: str | None) -> None:
        """Make a version the champion, if `instead_of` still is it.

        Raises
        ------
        InputError
            Someone else has changed the champion since it was looked at.
        """
        with alone(self.client, self.name):
            self._unmoved(instead_of)
            history = [*self.champions(), number][-HISTORY_KEPT:]
            self.client.set_registered_model_tag(self.name, HISTORY_TAG, " ".join(history))
            self.client.set_registered_model_alias(self.name, CHAMPION, number)

    def before(self, champion: str) -> str:
        """Number of the champion before this one, which is the present one.

        Raises
        ------
        InputError
            There was none before.
        """
        if history := self.champions()[:-1]:
            return history[-1]
        raise InputError(
            "there is no champion to go back to", where=f"{self.name} in {self.shown}",
            found=f"version {champion} is the first champion", fix="promote another: make promote VERSION=<number>",
        )  # fmt: skip

    def step_back(self, *, from_: str) -> None:
        """Make the champion before the present one champion again.

        Raises
        ------
        InputError
            There was none before, or someone else has changed the champion meanwhile.
        """
        with alone(self.client, self.name):
            self._unmoved(from_)
            previous, history = self.before(from_), self.champions()[:-1]
            self.client.set_registered_model_alias(self.name, CHAMPION, previous)
            self.client.set_registered_model_tag(self.name, HISTORY_TAG, " ".join(history))

    def _unmoved(self, expected: str | None) -> None:
        if (found := self.champion) != expected:
            raise InputError(
                "the champion has changed while this one was judged", where=f"{self.name} in {self.shown}",
                expected=f"version {expected}" if expected else "no champion", found=f"version {found}",
                fix="run it again: it is then judged against the new champion",
            )  # fmt: skip
