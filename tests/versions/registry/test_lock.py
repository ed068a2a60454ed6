"""The lock of the champion on a real store: one owner at a time, also where the owner before was killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest

from sandbox import tiny
from versions.registry import lock

NAME = "glacier-tiny"

KILLED = """
import os, sys
import mlflow
from versions.registry.lock import champion_lock
with champion_lock(mlflow.MlflowClient(sys.argv[1], sys.argv[1]), "glacier-tiny"):
    os._exit(9)
"""


def open_store(uri: str) -> mlflow.MlflowClient:
    """Return a client that has its models there too, whatever store other tests have used."""
    return mlflow.MlflowClient(uri, uri)


@pytest.fixture
def store_uri(empty_database: Path, tmp_path: Path) -> str:
    """Return the address of a store with one registered model."""
    uri = f"sqlite:///{shutil.copy(empty_database, tmp_path)}"
    open_store(uri).create_registered_model(NAME)
    return uri


def die_with_the_lock(uri: str) -> None:
    """Take the lock in a process that is killed while it has it."""
    process = subprocess.run([sys.executable, "-W", "ignore", "-c", KILLED, uri], cwd=tiny.ROOT, check=False)
    assert process.returncode == 9


class Owners:
    """Counts who is inside of the lock at once."""

    def __init__(self) -> None:
        self.inside = threading.Event()
        self.number, self.most, self.total = 0, 0, 0
        self._guard = threading.Lock()

    @contextmanager
    def enter(self) -> Iterator[None]:
        with self._guard:
            self.number += 1
            self.total += 1
            self.most = max(self.most, self.number)
        self.inside.set()
        yield
        with self._guard:
            self.number -= 1


class LateClient:
    """A client whose removal of a lock arrives only after somebody is inside, or after two seconds."""

    def __init__(self, uri: str, owners: Owners) -> None:
        self._client, self._owners = open_store(uri), owners

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_registered_model(self, name: str) -> None:
        self._owners.inside.wait(2)
        self._client.delete_registered_model(name)


def change_champion(client: Any, owners: Owners) -> None:
    with lock.champion_lock(client, NAME), owners.enter():
        time.sleep(1)


def change_at_once(clients: list[Any], owners: Owners) -> None:
    threads = [threading.Thread(target=change_champion, args=(client, owners)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_of_two_that_wait_at_a_dead_lock_one_enters(store_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 5.0)  # longer than the late client's two seconds
    die_with_the_lock(store_uri)
    owners = Owners()
    change_at_once([open_store(store_uri), LateClient(store_uri, owners)], owners)
    assert (owners.total, owners.most) == (2, 1)


def test_many_at_once_enter_one_after_the_other_and_leave_nothing(store_uri: str) -> None:
    owners = Owners()
    change_at_once([open_store(store_uri) for _ in range(4)], owners)
    assert (owners.total, owners.most) == (4, 1)
    assert [model.name for model in open_store(store_uri).search_registered_models()] == [NAME]


def test_a_late_waiter_cannot_use_a_ticket_again(store_uri: str) -> None:
    """It saw the lock free, and asks for the next ticket after somebody else has had it and gone."""
    client = open_store(store_uri)
    with lock.champion_lock(client, NAME):
        pass
    assert not lock._take(client, NAME, 1)
    assert lock._take(client, NAME, 2)


def test_an_owner_that_was_thought_dead_does_not_open_the_lock_of_its_successor(
    store_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 0.0)
    client = open_store(store_uri)
    slow = lock.champion_lock(client, NAME)
    slow.__enter__()
    with lock.champion_lock(client, NAME):
        slow.__exit__(None, None, None)
        assert lock._locks(client, NAME) == [2]
    assert lock._locks(client, NAME) == []
