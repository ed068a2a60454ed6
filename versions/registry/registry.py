"""The registered versions of a site's model: who is champion, who was before, and how that changes hands.

An alias names one version, so there are never two champions. Which versions were champion before is a tag of the
registered model, written so that an interruption between the two leaves either the old state or the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stages.common.errors import InputError
from stages.track.store import CHALLENGER, CHAMPION
from versions.registry.lock import champion_lock
from versions.registry.registered import RegisteredVersion

HISTORY_TAG = "champions"
"""Tag of the registered model: numbers of all champions, the present one last."""
HISTORY_LENGTH = 100
"""Champions that the tag names at most."""


@dataclass(frozen=True)
class Registry:
    """Versions of one registered model."""

    client: Any
    model_name: str
    address: str
    """The store's address, without credentials."""

    @property
    def place(self) -> str:
        """Name of the model and address of its store, for messages."""
        return f"{self.model_name} in {self.address}"

    @property
    def aliases(self) -> dict[str, str]:
        """Number of the version that each alias names."""
        models = self.client.search_registered_models(f"name = '{self.model_name}'")
        return {alias: str(number) for alias, number in models[0].aliases.items()} if models else {}

    @property
    def champion(self) -> str | None:
        """Number of the champion; None: there is none yet."""
        return self.aliases.get(CHAMPION)

    @property
    def has_challenger(self) -> bool:
        """Whether a model was registered yet."""
        return CHALLENGER in self.aliases

    def challenger(self) -> str:
        """Return the number of the challenger.

        Raises
        ------
        InputError
            Nothing was registered yet.
        """
        if number := self.aliases.get(CHALLENGER):
            return number
        raise InputError(
            "no model is registered yet", where=self.place, expected="a version with the alias challenger",
            fix="run `make repro`: its stage `track` registers the model",
        )  # fmt: skip

    @cached_property
    def versions(self) -> dict[str, RegisteredVersion]:
        """All versions by number, as they were when first asked for."""
        entities = self.client.search_model_versions(f"name = '{self.model_name}'")
        return {str(entity.version): RegisteredVersion.from_store(self.client, entity) for entity in entities}

    def version(self, number: str) -> RegisteredVersion:
        """Return the registered version of this number.

        Raises
        ------
        InputError
            No version has this number; the message lists those that exist.
        """
        if number not in self.versions:
            numbers = ", ".join(sorted(self.versions, key=int))
            raise InputError(
                "no version has this number", where=self.place, found=number,
                expected=f"one of {numbers}" if numbers else "none is registered yet",
                fix="give VERSION=<number>, or leave it out for the challenger",
            )  # fmt: skip
        return self.versions[number]

    def annotate(self, number: str, tags: dict[str, str], description: str) -> None:
        """Store tags and a description (Markdown) with a version."""
        for key, value in tags.items():
            self.client.set_model_version_tag(self.model_name, number, key, value)
        self.client.update_model_version(self.model_name, number, description=description)

    def champions(self) -> list[str]:
        """Return the numbers of all champions, the present one last.

        Numbers after the present one are left of an interrupted change of hands, and are passed over.
        """
        champion = self.champion
        if champion is None:
            return []
        history = self.client.get_registered_model(self.model_name).tags.get(HISTORY_TAG, "").split()
        while history and history[-1] != champion:
            history.pop()
        return history or [champion]

    def crown(self, number: str, *, instead_of: str | None) -> None:
        """Make a version the champion, if `instead_of` still is it.

        Raises
        ------
        InputError
            Someone else has changed the champion since it was looked at.
        """
        with champion_lock(self.client, self.model_name):
            self._check_unchanged(instead_of)
            history = [*self.champions(), number][-HISTORY_LENGTH:]
            self.client.set_registered_model_tag(self.model_name, HISTORY_TAG, " ".join(history))
            self.client.set_registered_model_alias(self.model_name, CHAMPION, number)

    def champion_before(self, champion: str) -> str:
        """Return the number of the champion before the present one, which is `champion`.

        Raises
        ------
        InputError
            There was none before.
        """
        if history := self.champions()[:-1]:
            return history[-1]
        raise InputError(
            "there is no champion to go back to", where=self.place, found=f"version {champion} is the first champion",
            fix="promote another version: make promote VERSION=<number>",
        )  # fmt: skip

    def step_back(self, *, from_: str) -> None:
        """Make the champion before the present one champion again.

        Raises
        ------
        InputError
            There was none before, or someone else has changed the champion meanwhile.
        """
        with champion_lock(self.client, self.model_name):
            self._check_unchanged(from_)
            previous, history = self.champion_before(from_), self.champions()[:-1]
            self.client.set_registered_model_alias(self.model_name, CHAMPION, previous)
            self.client.set_registered_model_tag(self.model_name, HISTORY_TAG, " ".join(history))

    def _check_unchanged(self, expected: str | None) -> None:
        if (number := self.champion) != expected:
            raise InputError(
                "the champion has changed while this one was judged", where=self.place,
                expected=f"version {expected}" if expected else "no champion", found=f"version {number}",
                fix="run it again: it is then judged against the new champion",
            )  # fmt: skip
